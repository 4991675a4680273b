"""How large a picture is, and what its file notes besides the picture: nothing is decoded.

A file of 20 kB can hold a picture that takes gigabytes of a visitor's memory. An SVG has no pixels: a
browser draws it at the size of its place on the page.
"""

import struct
from collections.abc import Iterator

MAX_SIDE = 4096
MAX_PIXELS = 4_000_000  # 16 MB in memory
TOO_LARGE = f"at most {MAX_SIDE:,} pixels wide and high, and {MAX_PIXELS // 1_000_000} million in all"
PNG = b"\x89PNG\r\n\x1a\n"
# What a PNG may have beside its critical chunks: what changes how it looks.
PNG_LOOKS = {b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"acTL", b"fcTL", b"fdAT"}
WEBP_NOTES = {b"EXIF", b"XMP "}
WEBP_NOTE_FLAGS = 0x08 | 0x04  # of the chunk VP8X: that there is one of these


def is_too_large(content: bytes) -> bool:
    """Does a PNG or WebP file hold too many pixels, or hide how many? Other files have none."""
    try:
        if content.startswith(PNG):
            width, height = _png_size(content)
        elif content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            width, height = _webp_size(content)
        else:
            return False
    except (struct.error, ValueError):
        return True
    return max(width, height) > MAX_SIDE or width * height > MAX_PIXELS


def _png_size(content: bytes) -> tuple[int, int]:
    """Return width and height. Source: https://www.w3.org/TR/png-3/#11IHDR"""
    kind, width, height = struct.unpack_from(">4sII", content, 12)
    if kind != b"IHDR":
        raise ValueError("the first chunk must be the header")
    return width, height


def _webp_size(content: bytes) -> tuple[int, int]:
    """Return width and height. Source: https://developers.google.com/speed/webp/docs/riff_container"""
    kind = content[12:16]
    if kind == b"VP8 ":
        start, width, height = struct.unpack_from("<3sHH", content, 23)
        if start != b"\x9d\x01\x2a":
            raise ValueError("no key frame")
        return width & 0x3FFF, height & 0x3FFF  # the upper bits ask for another scale
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<xI", content, 20)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        width, width_high, height, height_high = struct.unpack_from("<HBHB", content, 24)
        return (width_high << 16 | width) + 1, (height_high << 16 | height) + 1
    raise ValueError("no kind of WebP that we know")


def without_notes(content: bytes) -> bytes:
    """Return a PNG or WebP file without the data that a camera or a program stored in it, such as a place. It
    looks the same. Data after the picture is removed, too. Other files, and broken ones, stay as they are.
    """
    try:
        if content.startswith(PNG):
            return PNG + b"".join(_png_chunks(content))
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            chunks = b"WEBP" + b"".join(_webp_chunks(content))
            return b"RIFF" + struct.pack("<I", len(chunks)) + chunks
    except (struct.error, ValueError):
        pass
    return content


def _png_chunks(content: bytes) -> Iterator[bytes]:
    """Return the chunks to keep. Source: https://www.w3.org/TR/png-3/#5Chunk-layout"""
    kind, start = b"", len(PNG)
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", content, start)
        end = start + 12 + length
        if end > len(content):
            raise ValueError("a chunk is cut off")
        if kind[:1].isupper() or kind in PNG_LOOKS:
            yield content[start:end]
        start = end


def _webp_chunks(content: bytes) -> Iterator[bytes]:
    """Return the chunks to keep. Source: https://developers.google.com/speed/webp/docs/riff_container"""
    (size,) = struct.unpack_from("<I", content, 4)
    start, last = 12, 8 + size
    if not start < last <= len(content):
        raise ValueError("the size is wrong")
    while start < last:
        kind, length = struct.unpack_from("<4sI", content, start)
        end = start + 8 + length + length % 2
        if end > last:
            raise ValueError("a chunk is cut off")
        chunk = content[start:end]
        if kind == b"VP8X":
            chunk = chunk[:8] + bytes([chunk[8] & ~WEBP_NOTE_FLAGS]) + chunk[9:]
        if kind not in WEBP_NOTES:
            yield chunk
        start = end
