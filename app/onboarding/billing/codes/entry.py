"""The page for an unknown browser: how to get in."""

from flask import render_template
from flask import session as cookie
from flask.typing import ResponseReturnValue

from app import portal
from app.onboarding.billing.forms import AddressForm
from app.web import mail

ADDRESS = "billing_address"  # in the cookie: the address to which this browser had a code sent


def offers_codes() -> bool:
    """Can a code be sent? Email must be set up, and the company must want it."""
    return mail.sender() is not None and portal.current_profile().billing.codes


def show(form: AddressForm | None = None, status: int = 200) -> ResponseReturnValue:
    """Say how to get in: by a code, or by a link that somebody sends."""
    shown = (form or AddressForm()) if offers_codes() else None
    return render_template("onboarding/billing/way_in.html", form=shown), status


def asked_address() -> str | None:
    """Return the address to which this browser had a code sent."""
    found = cookie.get(ADDRESS)
    return found if isinstance(found, str) else None
