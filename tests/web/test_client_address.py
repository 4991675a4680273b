"""Limits count people: by address without its port, and by the /64 that an IPv6 subscriber gets."""

import pytest

from app.web.addresses.client_address import UNKNOWN, name_of


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("198.51.100.8", "198.51.100.8"),
        ("198.51.100.8:40001", "198.51.100.8"),
        (" 198.51.100.8 ", "198.51.100.8"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
        ('"[2001:db8:1:2::9]:443"', "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.8", "198.51.100.8"),
        ("[::ffff:198.51.100.8]:5", "198.51.100.8"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", UNKNOWN),
        ("unknown", UNKNOWN),
        ("_hidden:80", UNKNOWN),
    ],
)
def test_names_a_visitor(address: str, name: str) -> None:
    assert name_of(address) == name
