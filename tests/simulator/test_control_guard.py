"""Only the simulator's own pages and programs on this machine may use its controls."""

import pytest
from werkzeug.test import Client

from app.simulator import Simulator
from tests.support.cases import for_each

FORM = {"action": "fault_settings", "hold": "on"}
FOREIGN: tuple[dict[str, str], ...] = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "https://localhost"},
    {"Origin": "http://localhost:3000"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
    {"Host": "evil.example"},
    {"Host": "evil.example:12111"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "192.168.1.7:12111"},
)
OWN: tuple[dict[str, str], ...] = (
    {},
    {"Origin": "http://localhost"},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Host": "127.0.0.1:12111", "Origin": "http://127.0.0.1:12111"},
    {"Host": "[::1]:12111", "Origin": "http://[::1]:12111"},
)


@for_each("headers", FOREIGN)
def test_other_sites_change_nothing(simulator: Simulator, page: Client, headers: dict[str, str]) -> None:
    for body in ({"data": FORM}, {"json": FORM}):
        answer = page.post("/_control", headers=headers, **body)

        assert answer.status_code == 403
    assert simulator.fault_settings.hold is False


@for_each("headers", OWN)
def test_accepts_own_pages_and_programs(simulator: Simulator, page: Client, headers: dict[str, str]) -> None:
    simulator.fault_settings.hold = False

    answer = page.post("/_control", data=FORM, headers=headers)

    assert answer.status_code == 303
    assert simulator.fault_settings.hold is True


@pytest.mark.parametrize("path", ["/_control", "/_control.json", "/_control/customers.json"])
def test_other_sites_read_nothing(page: Client, path: str) -> None:
    for headers in ({"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        assert page.get(path, headers=headers).status_code == 403


def test_a_link_on_another_site_opens_the_controls(page: Client) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}

    answer = page.get("/_control", headers=link)

    assert answer.status_code == 200
    assert answer.headers["Referrer-Policy"] == "same-origin"  # otherwise its forms send `Origin: null`
