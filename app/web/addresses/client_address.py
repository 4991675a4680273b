"""The sender of a request, as far as its address tells: one name for one person or household."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from flask import request

UNKNOWN = "unknown"  # a unix socket has no address, and a proxy may hide one


def client_address() -> str:
    """Return the name that limits use to count the sender of this request."""
    return name_of(request.remote_addr or "")


def name_of(address: str) -> str:
    """Return the address without its port; of IPv6, the /64 that one subscriber gets."""
    text = address.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found: IPv4Address | IPv6Address | None = ip_address(text.partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is None:
            return str(ip_network((found.packed, 64), strict=False))
        found = found.ipv4_mapped
    return str(found)
