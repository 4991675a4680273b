"""The company's name, logo and colour on our pages."""

from dataclasses import dataclass

from flask import Blueprint, Flask, Response, abort, send_file, url_for

from app.core.config import settings as current_settings
from app.portal.current import current_profile
from app.portal.settings import Profile

bp = Blueprint("brand", __name__)

AGE = 3600  # seconds that a browser may keep them
LIGHT, DARK = "#f4f6f8", "#171d25"  # the grounds in portal.css that make colours hardest to read
READABLE = 4.5  # contrast that text needs, https://www.w3.org/TR/WCAG22/#contrast-minimum


@dataclass(frozen=True)
class BrandView:
    """What templates show of the company."""

    company_name: str
    logo_url: str | None
    support_email: str | None
    terms_url: str | None


def init_app(app: Flask) -> None:
    """Let every template know the profile, its brand, and whether payments are simulated."""
    app.register_blueprint(bp)

    @app.context_processor
    def _context() -> dict[str, object]:
        profile = current_profile()
        simulated = current_settings().is_simulated
        return {"profile": profile, "brand": _brand(profile), "simulated": simulated}


@bp.get("/brand.css")
def css() -> Response:
    """The accent colour, with shades of it that are readable on light and on dark."""
    accent = current_profile().brand.accent_color
    light, dark = _readable_on(accent, LIGHT), _readable_on(accent, DARK)
    body = (
        f":root{{{_variables(light, '#000000')}}}"
        f"@media (prefers-color-scheme:dark){{:root{{{_variables(dark, '#ffffff')}}}}}"
    )
    response = Response(body, mimetype="text/css")
    response.cache_control.max_age = AGE
    return response


@bp.get("/brand/logo")
def logo() -> Response:
    """The company's logo, from its file."""
    file = current_settings().logo_file
    if file is None:
        abort(404)
    response = send_file(file.resolve(), max_age=AGE)
    # An SVG that is opened alone is a document: it may run no script.
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return response


def _brand(profile: Profile) -> BrandView:
    return BrandView(
        company_name=profile.brand.company_name,
        logo_url=url_for("brand.logo") if current_settings().logo_file else None,
        support_email=profile.links.support_email,
        terms_url=profile.links.terms_url,
    )


def _variables(accent: str, towards: str) -> str:
    on_accent = max(("#ffffff", "#0b0d12"), key=lambda text: contrast(text, accent))
    return f"--accent:{accent};--accent-strong:{_mix(accent, towards, 0.15)};--on-accent:{on_accent}"


def _readable_on(accent: str, paper: str) -> str:
    """The accent, moved just as far away from the paper as links of that colour need to be read."""
    ink = "#000000" if _luminance(paper) > 0.5 else "#ffffff"
    shades = (_mix(accent, ink, step / 20) for step in range(21))
    return next(shade for shade in shades if contrast(shade, paper) >= READABLE)


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21. Source: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [value / 255 for value in bytes.fromhex(colour[1:])]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _mix(one: str, other: str, share: float) -> str:
    pairs = zip(bytes.fromhex(one[1:]), bytes.fromhex(other[1:]), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)
