"""Who may do what in the console, as a table: every route and method by everybody who may come."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from app.operators import OperatorPages, Role
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.console import csrf, operator, post, sign_in
from tests.support.database_contents import contents
from tests.support.operators import is_in

# The only ones that open to nobody in particular.
DOOR = {
    ("GET", "/operator/login"),
    ("POST", "/operator/login"),
    ("GET", "/operator/login/code"),
    ("POST", "/operator/login/code"),
    ("GET", "/operator/setup"),
    ("POST", "/operator/setup"),
    ("GET", "/operator/invitation"),
    ("POST", "/operator/invitation"),
}
# What each route says of itself is compared with this, where a wrong word would be worst.
SENSITIVE = {
    ("GET", "/operator/team"): "admin",
    ("POST", "/operator/team"): "admin",
    ("GET", "/operator/team/<operator_id>"): "admin",
    ("POST", "/operator/team/<operator_id>/role"): "admin",
    ("POST", "/operator/team/<operator_id>/disable"): "admin",
    ("POST", "/operator/team/<operator_id>/enable"): "admin",
    ("POST", "/operator/team/<operator_id>/link"): "admin",
    ("POST", "/operator/team/<operator_id>/second-factor/reset"): "admin",
    ("GET", "/operator/tokens"): "admin",
    ("POST", "/operator/tokens"): "admin",
    ("POST", "/operator/tokens/<token_id>/revoke"): "admin",
    ("GET", "/operator/portal/handovers"): "admin",
    ("POST", "/operator/portal/handovers"): "admin",
    ("POST", "/operator/portal/handovers/<secret_id>/revoke"): "admin",
    ("GET", "/operator/stripe/install"): "admin",
    ("POST", "/operator/stripe/install"): "admin",
    ("POST", "/operator/stripe/install/<pending_id>"): "admin",
    ("POST", "/operator/stripe/<app_id>/key"): "admin",
    ("POST", "/operator/stripe/<app_id>/roll"): "admin",
    ("POST", "/operator/stripe/<app_id>/default"): "admin",
    ("POST", "/operator/stripe/<app_id>/uninstall"): "admin",
    ("GET", "/operator/portal"): "admin",
    ("GET", "/operator/portal/profiles/<slug>/preview/<name>"): "admin",
    ("POST", "/operator/portal/profiles/<slug>/brand"): "admin",
    ("POST", "/operator/portal/publish"): "admin",
    ("POST", "/operator/portal/versions/<int:number>/restore"): "admin",
    ("GET", "/operator/customers.csv"): "operator",
    ("POST", "/operator/customers/new"): "operator",
    ("POST", "/operator/customers/<customer_id>/edit"): "operator",
    ("POST", "/operator/customers/<customer_id>/delete"): "operator",
    ("POST", "/operator/customers/<customer_id>/restore"): "operator",
    ("POST", "/operator/customers/<customer_id>/approve"): "operator",
    ("POST", "/operator/customers/<customer_id>/decline"): "operator",
    ("POST", "/operator/customers/<customer_id>/attach"): "operator",
    ("POST", "/operator/customers/<customer_id>/links"): "operator",
    ("POST", "/operator/events/<app_id>/<event_id>/retry"): "operator",
    ("POST", "/operator/events/<app_id>/<event_id>/ignore"): "operator",
    ("POST", "/operator/events/retry-failed"): "operator",
    ("POST", "/operator/events/fetch"): "operator",
    ("POST", "/operator/logout"): "viewer",
    ("POST", "/operator/account/password"): "viewer",
}


@dataclass(frozen=True)
class Route:
    """One method of one address of the console."""

    method: str
    rule: str
    path: str  # with an id of nothing in each place
    role: Role | None

    def call(self, client: FlaskClient, **fields: Any) -> TestResponse:
        """Use it; with a POST goes a good token."""
        if self.method == "GET":
            return client.get(self.path)
        return post(client, self.path, **fields)


def routes(app: Flask) -> Iterator[Route]:
    """Every route of the console."""
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/operator"):
            continue
        name, _, endpoint = rule.endpoint.rpartition(".")
        pages = app.blueprints.get(name)
        role = pages.roles[endpoint] if isinstance(pages, OperatorPages) else None
        nothing: dict[str, Any] = dict.fromkeys(rule.arguments, "00000000000000000000000000")
        nothing |= {"number": 0} if "number" in nothing else {}
        with app.test_request_context():
            path = app.url_for(rule.endpoint, **nothing)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Route(method, rule.rule, path, role)


def refusal(answer: TestResponse) -> str | None:
    """Why the guard let nobody pass, if it did not."""
    if answer.status_code == 303 and "/operator/login?" in f"{answer.location}?":
        return "log in"
    if answer.status_code == 403 and "This needs the role" in answer.get_data(as_text=True):
        return "role"
    return None


ROUTES = [route for route in routes(create_app(make_settings())) if route.role is not None]
ACTIONS = [route for route in ROUTES if route.method != "GET"]
LEADS_TO_THE_LOGIN = {"/operator/logout", "/operator/account/sessions/end"}


def test_there_are_no_routes_but_those_of_the_guard_and_of_the_door(app: Flask) -> None:
    unguarded = {(route.method, route.rule) for route in routes(app) if route.role is None}

    assert unguarded == DOOR


def test_there_are_no_methods_but_get_and_post() -> None:
    assert {route.method for route in ROUTES} == {"GET", "POST"}


def test_what_is_sensitive_says_the_right_role() -> None:
    said = {(route.method, route.rule): route.role for route in ROUTES}

    assert {key: said.get(key) for key in SENSITIVE} == SENSITIVE


def test_viewers_change_nothing_but_their_own_account() -> None:
    changes = {route.rule for route in ACTIONS if route.role is Role.VIEWER}

    assert {rule for rule in changes if not rule.startswith("/operator/account")} == {"/operator/logout"}


@pytest.mark.parametrize("who", ["anonymous", "viewer", "operator", "admin"])
def test_every_route_opens_to_its_role_and_those_above(app: Flask, who: str) -> None:
    wrong = []
    person = None if who == "anonymous" else operator(app, who)

    for route in ROUTES:
        client = sign_in(app, who=person) if person else app.test_client()
        answer = route.call(client)

        assert route.role is not None
        expected: str | None
        if person is None:
            expected = "log in"
        elif not person.may(route.role):
            expected = "role"
        else:
            expected = "log in" if route.rule in LEADS_TO_THE_LOGIN else None
        if refusal(answer) != expected or answer.status_code >= 500:
            wrong.append((route.method, route.rule, answer.status_code, answer.location))

    assert wrong == []


@pytest.mark.parametrize("token", ["missing", "stale", "of another browser"])
def test_no_action_is_taken_without_a_good_token(app: Flask, token: str) -> None:
    me = operator(app)
    client, other = sign_in(app, who=me), app.test_client()
    tokens = {
        "missing": None,
        "stale": csrf(client)[:-3] + "abc",
        "of another browser": csrf(other, "/signup"),
    }
    fields = {} if tokens[token] is None else {"csrf_token": tokens[token]}
    before = contents(app)

    statuses = {route.rule: client.post(route.path, data=fields).status_code for route in ACTIONS}

    assert {rule: status for rule, status in statuses.items() if status != 400} == {}
    assert contents(app) == before
    assert is_in(client)


def test_a_page_that_is_too_old_is_explained_calmly(app: Flask) -> None:
    answer = sign_in(app).post("/operator/team", data={"email": "bob@example.com"})

    assert answer.status_code == 400
    assert "Nothing was changed: go back, reload the page" in Page.of(answer).text


def test_who_is_sent_to_the_log_in_may_come_back_to_a_page_but_not_to_an_action(client: FlaskClient) -> None:
    page, action = client.get("/operator/team?page=2"), client.post("/operator/team")

    assert page.location == "/operator/login?next=/operator/team?page%3D2"
    assert action.location == "/operator/login"


def test_a_form_that_is_sent_after_the_session_ended_leads_back_to_its_page(client: FlaskClient) -> None:
    page = "http://127.0.0.1:8000/operator/customers?q=ada"

    answer = client.post("/operator/team", headers={"Referer": page})

    assert answer.location == "/operator/login?next=/operator/customers?q%3Dada"


def test_a_role_that_does_not_suffice_is_told_on_a_page(app: Flask) -> None:
    answer = sign_in(app, "viewer").get("/operator/team")

    assert answer.status_code == 403
    assert "This needs the role admin; yours is viewer." in Page.of(answer).text


def test_an_operator_who_was_disabled_is_out_at_once(app: Flask) -> None:
    vera = operator(app, "viewer")
    browser = sign_in(app, who=vera)

    post(sign_in(app), f"/operator/team/{vera.id}/disable")

    assert browser.get("/operator/account").status_code == 303


def test_a_route_without_a_role_can_not_be_made() -> None:
    pages = OperatorPages("some", __name__)

    with pytest.raises(TypeError, match="/more names no role"):
        pages.get("/more")(lambda: "")


def test_a_route_with_two_roles_can_not_be_made() -> None:
    pages = OperatorPages("some", __name__)

    @pages.page("/more", role=Role.VIEWER)
    def more() -> str:
        return ""

    with pytest.raises(TypeError, match="more has two roles"):
        pages.action("/more", role=Role.ADMIN)(more)


@pytest.mark.parametrize(
    ("role", "covered"),
    [
        (Role.VIEWER, {Role.VIEWER}),
        (Role.OPERATOR, {Role.VIEWER, Role.OPERATOR}),
        (Role.ADMIN, set(Role)),
    ],
)
def test_each_role_covers_those_before_it(role: Role, covered: set[Role]) -> None:
    assert {other for other in Role if role.covers(other)} == covered
