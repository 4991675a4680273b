"""Where a program may have a customer sent: http(s) only, and to listed origins when any are set."""

import re
from collections.abc import Collection
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from app.core.addresses import ascii_host
from app.core.config import LOOPBACK, settings

# Browsers remove tabs and line breaks from a URL and read a backslash as a slash. What they would read
# differently than we do must not get through. Source: https://url.spec.whatwg.org/#concept-basic-url-parser
SHAPE = r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s\\/?#@]+([/?#][^\s\\]*)?$"
DEFAULT_PORTS = {"http": 80, "https": 443}


def check_redirect(url: str) -> str:
    """The URL, if a customer may be sent there. Raises ValueError with what is wrong."""
    origin = _origin(url) if re.fullmatch(SHAPE, url) and url.isprintable() else None
    if origin is None:
        raise ValueError("must be a whole URL that begins with https:// or http://")
    allowed = settings().redirect_origins
    if allowed and origin not in {_origin(one) for one in (settings().public_url, *allowed)}:
        raise ValueError(
            f"must lead to one of the origins in GANGWAY_REDIRECT_ORIGINS: {', '.join(sorted(allowed))}"
        )
    return url


def check_return_url(url: str) -> str:
    """The URL, if customers may go there when they are done. Raises ValueError with what is wrong.

    It may hold what belongs to one customer, so it must be https, except on this machine.
    """
    return check_redirect(check_safe_url(url))


def check_safe_url(url: str) -> str:
    """The URL, if it is a whole one that begins with https, or stays on this machine. Raises ValueError."""
    origin = _origin(url) if re.fullmatch(SHAPE, url) and url.isprintable() and url.isascii() else None
    if origin is None or (origin[0] == "http" and origin[1] not in LOOPBACK):
        raise ValueError("must be a whole URL that begins with https://, in ASCII")
    return url


def is_on_host(url: str, hosts: Collection[str]) -> bool:
    """Does a URL lead to one of these hosts? `example.com:8443` names a port; a bare host allows all."""
    origin = _origin(url)
    if origin is None:
        return False
    _, host, port = origin
    return not {host, f"{host}:{port}"}.isdisjoint(one.lower() for one in hosts)


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port as a browser takes them; None for a URL with a bad host or port."""
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme.lower(), ascii_host(url)
        port = parts.port if parts.port is not None else DEFAULT_PORTS.get(scheme)
    except ValueError:
        return None
    return (scheme, host, port) if port else None


RedirectUrl = Annotated[
    str, AfterValidator(check_redirect), Field(json_schema_extra={"format": "uri", "pattern": SHAPE})
]
