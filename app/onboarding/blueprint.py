"""The blueprint of the public pages: what holds for each of them."""

from typing import Any

from flask import Blueprint, Response, g, request

from app import gateway, portal

SECRET_PATHS = ("/start/", "/billing/invitation/")  # anyone who has such an address can open the page

bp = Blueprint("onboarding", __name__)
gateway.limit_waiting(bp)


@bp.url_value_preprocessor
def take_profile(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Take the profile's name out of the address, so that the views need not."""
    g.named_profile = values.pop("profile", None) if values else None


@bp.before_request
def use_named_profile() -> None:
    """Use the profile that the address names. Raises NotFound when there is none of that name."""
    if g.named_profile is not None:
        portal.profile(g.named_profile)
        portal.use_profile(g.named_profile)


@bp.after_app_request
def keep_secret(response: Response) -> Response:
    """Keep an address with a token out of referrers and indexes."""
    if request.path.startswith(SECRET_PATHS) or "handover" in request.args:
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@bp.app_url_defaults
def keep_profile(endpoint: str, values: dict[str, Any]) -> None:
    """Let the addresses of the form name the profile of this request."""
    if endpoint in {"onboarding.form", "onboarding.submit"} and portal.current_slug():
        values.setdefault("profile", portal.current_slug())
