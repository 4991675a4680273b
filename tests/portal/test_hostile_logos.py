"""A file that is no logo is refused at once, whatever it holds."""

from pathlib import Path

import pytest

from app import portal
from app.core.config import SettingsRefused
from tests.conftest import make_settings
from tests.support.pictures import png, webp

LARGEST = [(2000, 2000), (4096, 976)]
TOO_LARGE = [(4097, 1), (1, 4097), (2001, 2000), (4096, 4096), (16_383, 16_383)]
KINDS = [None, "VP8 ", "VP8L", "VP8X"]
UNREADABLE = [
    b"\x89PNG\r\n\x1a\n",
    b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\x04CgBI" + bytes(40),
    b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(40),
    b"RIFF\x00\x00\x00\x00WEBPALPH" + bytes(40),
    webp("VP8X", 1, 1)[:-1],
]


def picture(kind: str | None, width: int, height: int) -> bytes:
    """A PNG, or a WebP of this kind."""
    return webp(kind, width, height) if kind else png(width, height)


@pytest.mark.parametrize("start", [b"<!---->", b"<?xml?>", b"<!DOCTYPE x>", b" \n"])
def test_a_long_preamble_is_read_once(start: bytes) -> None:
    with pytest.raises(ValueError, match="Use an SVG, PNG or WebP picture"):
        portal.Image.of(start * 500 + b"x")


def test_a_preamble_before_a_picture_is_fine() -> None:
    made = portal.Image.of(b'<?xml version="1.0"?>\n<!-- a --><!-- b -->\n<!DOCTYPE svg>\n<svg ></svg>')

    assert made.media_type == "image/svg+xml"


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_fills_the_memory_is_refused(kind: str | None, tmp_path: Path) -> None:
    for width, height in TOO_LARGE:
        file = tmp_path / ("logo.webp" if kind else "logo.png")
        file.write_bytes(picture(kind, width, height))

        with pytest.raises(
            ValueError, match="Use a picture at most 4,096 pixels wide and high, and 4 million in"
        ):
            portal.Image.of(file.read_bytes())
        with pytest.raises(SettingsRefused, match=r"^GANGWAY_LOGO_FILE must be at most 4,096 pixels wide"):
            make_settings(logo_file=str(file))


def test_a_png_of_the_largest_size_that_its_header_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="4 million in all"):
        portal.Image.of(png(2**31 - 1, 2**31 - 1))


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_of_a_good_size_is_taken(kind: str | None) -> None:
    for width, height in LARGEST:
        assert portal.Image.of(picture(kind, width, height)).content == picture(kind, width, height)


@pytest.mark.parametrize("content", UNREADABLE)
def test_a_picture_that_hides_its_size_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="4 million in all"):
        portal.Image.of(content)
