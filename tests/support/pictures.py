"""Files that say they are pictures of some size. They hold no pixels."""

import struct


def png(width: int, height: int) -> bytes:
    """The beginning of a PNG."""
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, 1, 0, 0, 0, 0)
        + bytes(4)
    )


def webp(kind: str, width: int, height: int) -> bytes:
    """The beginning of a WebP: lossy (`VP8 `), lossless (`VP8L`) or extended (`VP8X`)."""
    chunk = {
        "VP8 ": lambda: b"\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", width, height),
        "VP8L": lambda: b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14),
        "VP8X": lambda: bytes(4) + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3],
    }[kind]()
    return b"RIFF" + bytes(4) + b"WEBP" + kind.encode() + struct.pack("<I", len(chunk)) + chunk
