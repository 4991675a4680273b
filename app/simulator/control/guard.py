"""Access to the controls, for the simulator's own pages and for programs on this machine only."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import request

_OWN_SITES = {"same-origin", "none"}  # `none`: an address that a person entered, or a bookmark


def refusal() -> str | None:
    """Return why this request may not use the controls, or None if it may.

    A page of another site can send a form to this machine, and its domain can resolve to this machine.
    Browsers report both: https://www.w3.org/TR/fetch-metadata/ and https://fetch.spec.whatwg.org/#origin-header.
    """
    if not _is_loopback(request.host):
        return "Open the controls at a loopback address, such as http://127.0.0.1."
    origin = request.headers.get("Origin")
    if origin is not None and origin.lower() != f"{request.scheme}://{request.host}".lower():
        return "This request was sent by another site."
    if request.headers.get("Sec-Fetch-Site", "none") not in _OWN_SITES and not _is_link():
        return "This request was sent by another site."
    return None


def _is_loopback(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def _is_link() -> bool:
    """Did a person follow a link on another site? Such a request changes nothing."""
    is_page = request.headers.get("Sec-Fetch-Dest") == "document"
    return request.method == "GET" and is_page and request.headers.get("Sec-Fetch-Mode") == "navigate"
