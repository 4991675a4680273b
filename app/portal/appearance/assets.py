"""The files of a brand: its style, logos, icons and custom CSS."""

import hashlib
import struct
import zlib
from functools import cached_property, lru_cache
from html import escape
from pathlib import Path

from app.core import pictures
from app.core.config import settings
from app.core.config.brand import MAX_CSS_BYTES
from app.core.values import frozen
from app.portal.appearance.colors import DARK, LIGHT, readable_text, variables
from app.portal.sections.brand import Brand
from app.portal.sections.logo import SIGNATURES, Image
from app.portal.settings import Profile

TOUCH_ICON_SIZE = 180  # pixels, as iOS asks for
FONTS = {
    "system": "",
    "humanist": "Seravek,Optima,Candara,'Gill Sans Nova',Calibri,'Noto Sans',sans-serif",
    "geometric": "Avenir,Montserrat,Corbel,'URW Gothic','Century Gothic','Noto Sans',sans-serif",
    "rounded": "ui-rounded,'Hiragino Maru Gothic ProN',Quicksand,Nunito,'Arial Rounded MT Bold',sans-serif",
    "serif": "Charter,'Bitstream Charter','Sitka Text',Cambria,Georgia,'Noto Serif',serif",
    "slab": "Rockwell,'Rockwell Nova','Roboto Slab','DejaVu Serif','Sitka Small',serif",
}
RADII = {
    "none": ("0", "0"),
    "small": ("0.25rem", "0.375rem"),
    "medium": ("0.5rem", "0.875rem"),
    "large": ("1rem", "1.5rem"),
}


@frozen
class Asset:
    """One file, as it is served."""

    content: bytes
    media_type: str

    @cached_property
    def version(self) -> str:
        """Return a short name of the content."""
        return hashlib.sha256(self.content).hexdigest()[:16]


@lru_cache(maxsize=256)
def style(brand: Brand) -> Asset:
    """Return the variables that follow portal.css: colors on light and on dark, font and shape."""
    small, large = RADII[brand.corner_radius]
    shape = f"--round:{small};--round-large:{large}"
    font = f";--font:{FONTS[brand.font]}" if FONTS[brand.font] else ""
    css = (
        f":root{{{variables(brand.accent_color, LIGHT)};{shape}{font}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{variables(brand.accent_color, DARK)}}}}}"
    )
    return Asset(css.encode(), "text/css")


@lru_cache(maxsize=256)
def icon(brand: Brand, logo: Asset | None) -> Asset:
    """Return the favicon: the logo, or a mark for a company that has none, or only a wordmark."""
    if logo is not None and not brand.is_wordmark:
        return logo
    mark = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        f'<rect width="32" height="32" rx="7" fill="{brand.accent_color}"/>'
        '<text x="16" y="16" dy=".36em" text-anchor="middle" font-family="system-ui,sans-serif"'
        f' font-weight="700" font-size="19" fill="{readable_text(brand.accent_color)}">'
        f"{escape(brand.company_name[:1].upper())}</text></svg>"
    )
    return Asset(mark.encode(), "image/svg+xml")


@lru_cache(maxsize=256)
def touch_icon(brand: Brand, logo: Asset | None) -> Asset:
    """Return the icon of a home screen, which must be a PNG: the logo, or a card on the accent color."""
    if logo is not None and logo.media_type == "image/png" and not brand.is_wordmark:
        return logo
    return Asset(_draw_card(brand.accent_color, readable_text(brand.accent_color)), "image/png")


def logo(profile: Profile, *, is_default: bool) -> Asset | None:
    """Return the logo: for the default profile, a file that a variable names wins."""
    file = settings().logo_file if is_default else None
    return _read_logo(file, file.stat().st_mtime_ns) if file and file.is_file() else _of(profile.brand.logo)


def logo_dark(profile: Profile) -> Asset | None:
    """Return the logo for dark pages."""
    return _of(profile.brand.logo_dark)


def custom_css(slug: str) -> Asset | None:
    """Return the company's own CSS: a profile's file, else the one for all of them. None: there is none.

    The pages' policy lets it load nothing from other sites.
    """
    for file in _css_files(settings().data_dir, settings().custom_css_file, slug):
        try:
            state = file.stat()
            if 0 < state.st_size <= MAX_CSS_BYTES:
                return _read_css(file, state.st_mtime_ns, state.st_size)
        except OSError:  # there is none, or it was removed just now
            continue
    return None


@lru_cache(maxsize=256)
def _css_files(folder: Path, named: Path | None, slug: str) -> tuple[Path, Path]:
    return folder / f"custom-{slug}.css", named or folder / "custom.css"


@lru_cache(maxsize=64)
def _read_css(file: Path, _changed_at: int, _size: int) -> Asset:
    return Asset(file.read_bytes(), "text/css")


@lru_cache(maxsize=8)
def _read_logo(file: Path, _changed_at: int) -> Asset:
    content = file.read_bytes()
    kinds = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}
    found = next((kind for kind, start in SIGNATURES.items() if start.match(content)), None)
    return Asset(pictures.without_notes(content), found or kinds[file.suffix.lower()])


@lru_cache(maxsize=64)
def _of(image: Image | None) -> Asset | None:
    return Asset(pictures.without_notes(image.content), image.media_type) if image else None


def _draw_card(ground: str, ink: str) -> bytes:
    """Draw a payment card as a PNG. Source: https://www.w3.org/TR/png-3/"""
    size = TOUCH_ICON_SIZE
    on, off = bytes.fromhex(ink[1:]), bytes.fromhex(ground[1:])
    left, right, top, bottom, line = size // 6, size - size // 6, size // 3, size - size // 3, size // 24

    def is_ink(x: int, y: int) -> bool:
        inside = left <= x < right and top <= y < bottom
        is_edge = x < left + line or x >= right - line or y < top + line or y >= bottom - line
        return inside and (is_edge or top + 2 * line <= y < top + 4 * line)

    rows = b"".join(b"\x00" + b"".join(on if is_ink(x, y) else off for x in range(size)) for y in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
