"""The blueprint of the billing page: what holds for each of its pages."""

from typing import Any

from flask import Blueprint, request

from app import gateway, portal

WAYS_IN = {"billing.page", "billing.request_code", "billing.enter_code", "billing.check_code"}

bp = Blueprint("billing", __name__, url_prefix="/billing")
gateway.limit_waiting(bp)


@bp.before_request
def use_named_profile() -> None:
    """Use the profile that the address names, until it is known which customer the page is about."""
    named = request.args.get("profile")
    if named is not None:
        portal.use_profile(named)


@bp.app_url_defaults
def keep_profile(endpoint: str, values: dict[str, Any]) -> None:
    """Let the addresses of the way in name the profile of this request. A customer's page has its own."""
    if endpoint in WAYS_IN and "customer" not in values and portal.current_slug():
        values.setdefault("profile", portal.current_slug())
