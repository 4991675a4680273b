"""Addresses of sites and people."""

import re
import string
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

import idna

MAX_HOST_LENGTH = 253  # https://www.rfc-editor.org/rfc/rfc1035
# Names of containers may have an underscore.
HOST_LABEL = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?")
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
LOWER_CASE = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
ADDRESS_PARTS = {  # of a postal address: as Stripe and our forms call them, and as the API does
    "line1": "line1",
    "line2": "line2",
    "postal_code": "postalCode",
    "city": "city",
    "state": "state",
    "country": "country",
}


def ascii_host(url: str) -> str:
    """Return the host of a URL in ASCII and lower case: a name, or an address without brackets.

    Raises ValueError where there is none, for a name that DNS can't have, and for a number that browsers read
    as another address, such as 127.1. Source: https://url.spec.whatwg.org/#host-parsing
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if "[" in parts.netloc:
        if "%" in host:
            raise ValueError("a zone belongs to one machine")
        return IPv6Address(host).compressed
    if len(host) > MAX_HOST_LENGTH:
        raise ValueError("too long")
    # UTS 46 as browsers use it: https://url.spec.whatwg.org/#concept-domain-to-ascii
    name = host if host.isascii() else idna.encode(host, uts46=True).decode()
    labels = name.removesuffix(".").split(".")
    if len(name) > MAX_HOST_LENGTH or not all(HOST_LABEL.fullmatch(label) for label in labels):
        raise ValueError("no name of a host")
    return str(IPv4Address(name)) if NUMBER.fullmatch(labels[-1]) else name


def has_host(url: str) -> bool:
    """Does a URL name a host that can exist, and a good port if any? Asks no other machine."""
    try:
        return bool(ascii_host(url)) and urlsplit(url).port != 0
    except ValueError:
        return False


def checked_origin(value: str) -> str:
    """Return an origin in ASCII, because headers and DNS take nothing else: other names become punycode.

    Raises ValueError with the end of a sentence that begins with the setting's name.
    """
    value = value.rstrip("/")
    try:
        parts = urlsplit(value)
        whole = f"{parts.scheme}://{parts.netloc}"
        is_origin = parts.scheme in {"http", "https"} and parts.port != 0 and parts.netloc[-1:] != ":"
        host = ascii_host(value)
        is_ascii = (parts.hostname or "").isascii()
        netloc = parts.netloc if is_ascii else host + (f":{parts.port}" if parts.port else "")
    except ValueError:  # a bad port, half an IPv6 address, a name that can't exist
        is_origin, whole, netloc = False, "", ""
    if not is_origin or value != whole or not re.fullmatch(r"[\w.:\[\]-]+", netloc, re.ASCII):
        raise ValueError("must be a scheme and host such as https://billing.example.com, without a path")
    return f"{parts.scheme}://{netloc.lower()}"


def folded_email(address: str) -> str:
    """Return an email address as it is compared: without the blanks around it, in lower case.

    Only A to Z count as alike. The lower case of a few other letters is one of them, such as that of the
    Kelvin sign. An address with such a letter belongs to somebody else.
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
