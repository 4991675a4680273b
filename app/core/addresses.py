"""Addresses of sites and people."""

import re
import string
from urllib.parse import urlsplit

import idna

LOWER_CASE = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
ADDRESS_PARTS = {  # of a postal address: as Stripe and our forms call them, and as the API does
    "line1": "line1",
    "line2": "line2",
    "postal_code": "postalCode",
    "city": "city",
    "state": "state",
    "country": "country",
}


def checked_origin(value: str) -> str:
    """Return an origin in ASCII, because headers and DNS take nothing else: other names become punycode.

    Raises ValueError with the end of a sentence that begins with the setting's name.
    """
    value = value.rstrip("/")
    try:
        parts = urlsplit(value)
        whole = f"{parts.scheme}://{parts.netloc}"
        is_origin = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        host = parts.hostname or ""
        # UTS 46 as browsers use it: https://url.spec.whatwg.org/#concept-domain-to-ascii
        ascii_host = host if host.isascii() else idna.encode(host, uts46=True).decode()
        netloc = parts.netloc if host.isascii() else ascii_host + (f":{parts.port}" if parts.port else "")
    except (ValueError, idna.IDNAError):  # a bad port, half an IPv6 address, a name that can't exist
        is_origin, whole, netloc = False, "", ""
    if not is_origin or value != whole or not re.fullmatch(r"[\w.:\[\]-]+", netloc, re.ASCII):
        raise ValueError("must be a scheme and host such as https://billing.example.com, without a path")
    return f"{parts.scheme}://{netloc.lower()}"


def folded_email(address: str) -> str:
    """Return an email address as it is compared: without the blanks around it, in lower case.

    Only A to Z count as alike. Some other letters have one of them as their lower case, such as the Kelvin
    sign, and an address with it belongs to somebody else.
    """
    return address.strip().translate(LOWER_CASE)


def is_email_address(text: str) -> bool:
    """Can this be somebody's email address? Asks no other machine."""
    # It takes long to import, and only some installations need it.
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True
