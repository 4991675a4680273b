"""What pages show of the company, and the addresses of its files."""

from collections.abc import Callable

from flask import Blueprint, Flask, Response, request, url_for

from app.core.config import settings as current_settings
from app.core.errors import NotFound
from app.core.values import frozen
from app.portal.appearance import assets
from app.portal.appearance.assets import Asset
from app.portal.cache import published
from app.portal.current import (
    current_profile,
    current_slug,
    is_draft,
    is_test_mode,
    profile,
    use_profile,
)
from app.portal.settings import Profile

bp = Blueprint("brand", __name__)

AGE = 3600  # seconds that a browser may keep a file, if its address names no version
LONG_AGE = 365 * 24 * 3600


@frozen
class BrandView:
    """What templates show of the company."""

    company_name: str
    is_wordmark: bool
    logo_url: str | None
    logo_dark_url: str | None
    css_url: str
    custom_css_url: str | None
    icon_url: str
    icon_type: str
    touch_icon_url: str
    support_email: str | None
    terms_url: str | None
    privacy_url: str | None
    imprint_url: str | None


def init_app(app: Flask) -> None:
    """Let every template know the profile, its brand, and whether payments are real."""
    app.register_blueprint(bp)

    @app.context_processor
    def _context() -> dict[str, object]:
        shown = current_profile()
        simulated = current_settings().is_simulated
        return {
            "profile": shown,
            "brand": _view(shown),
            "simulated": simulated,
            "test_mode": is_test_mode(),
            "is_preview": is_draft(),
        }


@bp.get("/brand.css")
def css() -> Response:
    """The style of the default profile."""
    return asset("style.css")


@bp.get("/brand/logo")
def logo() -> Response:
    """The logo of the default profile."""
    return asset("logo")


@bp.get("/brand/<slug>/<name>")
def file(slug: str, name: str) -> Response:
    """A file of a profile's brand. Its address names its version, so a browser may keep it for a year."""
    profile(slug)
    use_profile(slug)
    return asset(name)


def asset(name: str) -> Response:
    """Answer with a file of this request's profile. Raises NotFound when it has none of that name."""
    found = _find(current_profile(), name)
    if found is None:
        raise NotFound("There is no such file.")
    response = Response(found.content, mimetype=found.media_type)
    named = request.args.get("v") or (request.view_args or {}).get("version")
    response.cache_control.max_age = LONG_AGE if named == found.version else AGE
    response.cache_control.private = is_draft() or None
    if found.media_type.startswith(
        "image/"
    ):  # an SVG that is opened alone is a document: it may run no script
        response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return response


def files() -> tuple[Asset | None, ...]:
    """Return what this request's profile shows of files on disk, which may change at any time."""
    own = assets.logo(current_profile(), is_default=_slug() == published().default_profile)
    return own, assets.custom_css(_slug())


def _find(shown: Profile, name: str) -> Asset | None:
    own = assets.logo(shown, is_default=_slug() == published().default_profile)
    files: dict[str, Callable[[], Asset | None]] = {
        "style.css": lambda: assets.style(shown.brand),
        "logo": lambda: own,
        "logo-dark": lambda: assets.logo_dark(shown),
        "icon": lambda: assets.icon(shown.brand, own),
        "touch-icon.png": lambda: assets.touch_icon(shown.brand, own),
        "custom.css": lambda: assets.custom_css(_slug()),
    }
    return files[name]() if name in files else None


def _view(shown: Profile) -> BrandView:
    own = assets.logo(shown, is_default=_slug() == published().default_profile)
    icon = assets.icon(shown.brand, own)
    return BrandView(
        company_name=shown.brand.company_name,
        is_wordmark=shown.brand.is_wordmark and own is not None,
        logo_url=_url("logo", own),
        logo_dark_url=_url("logo-dark", assets.logo_dark(shown)) if own else None,
        css_url=_url("style.css", assets.style(shown.brand)) or "",
        custom_css_url=_url("custom.css", assets.custom_css(_slug())),
        icon_url=_url("icon", icon) or "",
        icon_type=icon.media_type,
        touch_icon_url=_url("touch-icon.png", assets.touch_icon(shown.brand, own)) or "",
        support_email=shown.links.support_email,
        terms_url=shown.links.terms_url,
        privacy_url=shown.links.privacy_url,
        imprint_url=shown.links.imprint_url,
    )


def _slug() -> str:
    return current_slug() or published().default_profile


def _url(name: str, found: Asset | None) -> str | None:
    """Return the address of a file. New content and a draft have other addresses."""
    if found is None:
        return None
    if is_draft():
        return url_for("console_portal.asset", slug=_slug(), name=name, version=found.version)
    return url_for("brand.file", slug=_slug(), name=name, v=found.version)
