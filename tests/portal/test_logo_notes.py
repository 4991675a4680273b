"""A logo is served without what a camera or a program noted in its file, and looks the same."""

import struct
import zlib
from base64 import b64encode
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app import create_app, portal
from app.core import db
from tests.conftest import make_settings

PLACE = b"52.5200 N 13.4050 E"
BITMAP = bytes.fromhex("2f00000000")  # a picture of one pixel without loss


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(*notes: bytes, after: bytes = b"") -> bytes:
    """A picture of one pixel that can be seen through, with chunks of notes."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 3, 0, 0, 0))
    colors = chunk(b"PLTE", b"\xff\xff\xff") + chunk(b"tRNS", b"\x00")
    pixels = chunk(b"IDAT", zlib.compress(b"\x00\x00"))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(notes) + colors + pixels + chunk(b"IEND", b"") + after


def webp(*notes: bytes, flags: int = 0, after: bytes = b"") -> bytes:
    """An extended WebP file, with chunks of notes."""
    chunks = [b"VP8X" + struct.pack("<I", 10) + bytes([flags]) + bytes(9), b"VP8L" + struct.pack("<I", 5)]
    content = b"WEBP" + b"".join(chunks) + BITMAP + b"\x00" + b"".join(notes)
    return b"RIFF" + struct.pack("<I", len(content)) + content + after


def note(kind: bytes, content: bytes) -> bytes:
    """A chunk of a WebP file."""
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def publish(session: Session, kind: str, file: bytes) -> None:
    """Publish a profile with this logo."""
    logo = {"media_type": f"image/{kind}", "data": b64encode(file).decode()}
    made = portal.Profile.model_validate({"brand": {"logo": logo}})
    portal.publish(session, portal.PortalSettings(profiles={"default": made}), actor="command")
    session.commit()


NOTED = {
    "png": (png(chunk(b"eXIf", PLACE), chunk(b"tEXt", PLACE), chunk(b"iTXt", PLACE), after=PLACE), png()),
    "webp": (
        webp(note(b"EXIF", PLACE), note(b"XMP ", PLACE), flags=0x1C, after=PLACE),
        webp(flags=0x10),
    ),
}


@pytest.mark.parametrize("kind", NOTED)
def test_a_logo_tells_nobody_where_it_was_made(app: Flask, session: Session, kind: str) -> None:
    file, bare = NOTED[kind]
    publish(session, kind, file)

    answer = app.test_client().get("/brand/default/logo")

    assert PLACE in file
    assert answer.get_data() == bare


@pytest.mark.parametrize("kind", NOTED)
def test_nor_does_the_file_of_a_setting(tmp_path: Path, migrated: str, kind: str) -> None:
    file, bare = NOTED[kind]
    logo = tmp_path / f"logo.{kind}"
    logo.write_bytes(file)
    app = create_app(make_settings(logo_file=str(logo), database_url=migrated))

    answer = app.test_client().get("/brand/logo")

    assert answer.get_data() == bare
    with app.app_context():
        db.engine().dispose()


@pytest.mark.parametrize("file", [png()[:-6], webp()[:-3], webp()[:4] + bytes(4) + webp()[8:]])
def test_a_broken_file_stays_as_it_is(app: Flask, session: Session, file: bytes) -> None:
    kind = "png" if file.startswith(b"\x89PNG") else "webp"
    publish(session, kind, file)

    assert app.test_client().get("/brand/default/logo").get_data() == file
