"""Every public page that costs something, or takes a secret in its address, is limited for each visitor."""

import pytest
from flask import Flask

from app.core.config import Settings
from tests.conftest import make_settings
from tests.support.cases import for_each
from tests.support.console import post

# The sign-up has its own limits; the other pages show nothing of anybody.
UNLIMITED = {"/", "/signup", "/signup/<profile>", "/cancelled", "/forgotten"}
PAGES = {
    "GET": [
        "/return",
        "/billing",
        "/billing/remove",
        "/billing/code",
        "/billing/details",
        "/billing/people",
        "/billing/people/x/remove",
        "/billing/invitation/x",
        "/start/x",
    ],
    "POST": [
        "/resume",
        "/forget",
        "/handover",
        "/start/x",
        "/start/x/opened",
        "/billing/default",
        "/billing/keep",
        "/billing/remove",
        "/billing/stripe",
        "/billing/code",
        "/billing/code/check",
        "/billing/details",
        "/billing/people",
        "/billing/people/x/remove",
        "/billing/invitation/x",
    ],
}


@pytest.fixture
def settings(database_url: str) -> Settings:
    """One look an hour."""
    return make_settings(database_url=database_url, rate_limit_return="1 per hour")


@for_each(("method", "path"), [(method, path) for method, paths in PAGES.items() for path in paths])
def test_ends_with_a_page_that_says_so(app: Flask, method: str, path: str) -> None:
    client = app.test_client()

    answers = [client.get(path) if method == "GET" else post(client, path) for _ in range(2)]

    assert answers[0].status_code < 429
    assert answers[1].status_code == 429


def test_none_is_left_out(app: Flask) -> None:
    rules = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(("onboarding.", "billing.")) and rule.rule not in UNLIMITED
        for method in (rule.methods or set()) & {"GET", "POST"}
    }

    assert len(rules) == sum(map(len, PAGES.values()))
