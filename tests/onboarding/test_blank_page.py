"""The blank form is drawn once, and each browser still gets its own."""

from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.core import db
from app.customers.models import Customer
from tests.support.browser import Page
from tests.support.portal import SignupPage
from tests.support.rows import Rows


def tokens(app: Flask) -> tuple[str, str]:
    """Open the form in a new browser, and return its two hidden values."""
    fields = SignupPage(app.test_client()).fields()
    return fields["csrf_token"], fields["nonce"]


def test_has_other_tokens_in_each_browser(app: Flask) -> None:
    found = [tokens(app) for _ in range(3)]

    assert len({token for token, _ in found}) == 3
    assert len({nonce for _, nonce in found}) == 3


def test_is_drawn_with_the_same_words_each_time(app: Flask) -> None:
    pages = [SignupPage(app.test_client()).page for _ in range(2)]

    assert pages[0].text == pages[1].text


def test_works_in_each_browser(app: Flask, rows: Rows) -> None:
    for number in range(3):
        answer = SignupPage(app.test_client()).submit(key=f"nr-{number}", subject_keys=[f"engine-{number}"])
        assert answer.status_code == 303

    assert len(rows(Customer)) == 3


def test_has_the_language_of_each_reader(app: Flask) -> None:
    for language in ("de", "en", "ar", "de", "en"):
        page = Page.of(app.test_client().get("/signup", headers={"Accept-Language": language}))

        assert page.one("html")["lang"] == language


def test_asks_the_database_nothing_about_a_new_browser(app: Flask) -> None:
    tokens(app)
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    with app.app_context():
        engine = db.engine()
    sa.event.listen(engine, "before_cursor_execute", note)
    answer = app.test_client().get("/signup")
    sa.event.remove(engine, "before_cursor_execute", note)

    assert answer.status_code == 200
    assert [one for one in statements if "portal_version" not in one] == []  # that is asked each two seconds
