"""How codes are stored: one for each address and browser, under hashes."""

import sqlalchemy as sa

from app.core.addresses import folded_email
from app.onboarding.billing.models import BillingCode
from app.onboarding.browsers.keyed_hash import keyed_hash

ADDRESS_PART = 40  # letters of the stored hash that tell the address; the others tell the browser


def address_hash(address: str, browser: str = "") -> str:
    """Hash an address for one browser. The first letters are the same for all of them.

    Both are in one column because a release that knows no browsers looks for its own codes there. While
    processes are updated one by one, each finds its own codes, and this one also those of the other.
    """
    folded = folded_email(address)
    of_address = keyed_hash("address", folded)
    if not browser:
        return of_address
    return of_address[:ADDRESS_PART] + keyed_hash("address", f"{folded} {browser}")[ADDRESS_PART:]


def is_sent_to(*addresses: str) -> sa.ColumnElement[bool]:
    """Was a code asked for one of these addresses, in whichever browser?"""
    starts = (address_hash(address)[:ADDRESS_PART] for address in addresses)
    return sa.or_(sa.false(), *(BillingCode.address_hash.startswith(start) for start in starts))
