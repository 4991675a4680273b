"""The return page has its own heading and sentence for every payment status."""

from flask import Flask, render_template

from app.customers import Customer
from app.payers import STATUS_TABLE, PaymentStatus
from tests.support.browser import Page

# What the page tells besides the status, which nobody has done here.
NOTHING = dict.fromkeys(
    (
        "advice",
        "awaits_code",
        "choice",
        "further",
        "is_guest",
        "is_saved_twice",
        "keeps",
        "method",
        "reason",
        "refresh_seconds",
        "replaces",
        "unchosen",
    )
)


def words(app: Flask, status: PaymentStatus) -> tuple[str, str]:
    """Return the heading and the first sentence for a status."""
    info = STATUS_TABLE[status]
    with app.test_request_context("/return"):
        html = render_template(
            "onboarding/return.html",
            status=status.value,
            is_usable=info.is_usable,
            waits_for_bank=info.waits_for_bank,
            checked=True,
            customer=Customer(id="01HZ", name="Ada Lovelace Ltd"),
            **NOTHING,
        )
    page = Page(html)
    return page.h1, page.one("p", class_="lead").text


def test_each_has_its_own_words(app: Flask) -> None:
    shown = {status: words(app, status) for status in PaymentStatus}

    headings, sentences = zip(*shown.values(), strict=True)
    assert len(set(headings)) == len(PaymentStatus)
    assert len(set(sentences)) == len(PaymentStatus)
