"""The audit log in words: every kind that the code notes has a wording."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import sqlalchemy as sa

from app import audit, payers
from app.checkout import decline_reasons
from app.console.common import event_types, wording
from app.gateway import EVENTS
from app.payers import PaymentStatus
from tests.support.cases import for_each

APP = Path(__file__).resolve().parents[2] / "app"
LIKE_A_KIND = re.compile(r"(\w+)[.]\w+")
MOST_BEFORE_THE_KIND = 3  # session and payer may stand before it


def noted(path: Path) -> Iterator[str]:
    """Every kind that a file notes; one that is put together is given with a star: `app.*`.

    Where a call takes its kind from a name, every text of the file that looks like a kind of something that
    we have words for counts as one.
    """
    tree = ast.parse(path.read_text())
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] in {"note", "_note"}:
            for argument in call.args[:MOST_BEFORE_THE_KIND]:
                if isinstance(argument, ast.Name) and argument.id == "kind":
                    yield from (kind for kind in kinds_in(tree) if is_like_a_kind(kind))
                asked = ast.unparse(argument.func) if isinstance(argument, ast.Call) else ""
                yield from kinds_in(functions.get(asked, argument))


def is_like_a_kind(text: str) -> bool:
    """Does this look like a kind, about something that has other kinds?"""
    form = LIKE_A_KIND.fullmatch(text)
    return form is not None and any(known.startswith(f"{form[1]}.") for known in wording.KINDS)


def kinds_in(node: ast.AST) -> Iterator[str]:
    """The kinds that an expression, or a function, may give."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, str) and "." in node.value and " " not in node.value:
            yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from kinds_in(child)


@cache
def kinds() -> list[str]:
    """Every kind that the code notes."""
    sources = [path for path in APP.rglob("*.py") if path.relative_to(APP).parts[0] != "simulator"]
    return sorted({kind for path in sources for kind in noted(path)})


def test_the_code_notes_many_kinds() -> None:
    assert {"customer.created", "checkout.started", "setup.failed", "payment_method.saved", "app.*"} <= {
        *kinds()
    }


@for_each("kind", kinds)
def test_every_kind_has_words(kind: str) -> None:
    start, star, _ = kind.partition("*")

    told = [known for known in wording.KINDS if known == kind or (star and known.startswith(start))]

    assert told, f"app/console/common/wording.py has no words for {kind}"


@for_each("kind", wording.KINDS)
def test_words_hold_with_facts_and_without(kind: str) -> None:
    named = dict.fromkeys((*wording.LABELS, "outcome", "changed"), "this")

    bare, whole = (wording.describe(entry(kind, **facts)) for facts in ({}, named))

    for told in (bare, whole):
        assert told.title
        assert "{" not in told.title
        assert told.tone in {"neutral", "info", "success", "warning", "error"}


def test_a_kind_that_only_old_rows_have_is_told_by_its_name() -> None:
    told = wording.describe(entry("gift_card.was_lost", shelf_number="7"))

    assert told == wording.Description("Gift card was lost", "neutral", [("Shelf number", "7")])


def test_what_the_title_says_is_not_said_again() -> None:
    told = wording.describe(entry("payment_method.saved", shown="Visa •••• 4242", payment_method_id="pm_1"))

    assert told.title == "Visa •••• 4242 saved"
    assert told.details == [("Payment method", "pm_1")]


def test_a_decline_is_explained() -> None:
    told = wording.describe(
        entry("setup.failed", error_code="card_declined", decline_code="insufficient_funds")
    )

    assert told.details[0] == ("Meaning", "The bank says there is not enough money on the card.")


def test_a_status_is_told_in_words() -> None:
    told = wording.describe(entry("payment_status.changed", before="saved", after="expiring"))

    assert told.title == "Payment status: Expires soon"
    assert ("Before", "Saved") in told.details


def test_what_was_changed_is_named() -> None:
    told = wording.describe(entry("customer.updated", changed="name, primary_email"))

    assert told == wording.Description("Details changed: name, primary email", "neutral", [])


@pytest.mark.parametrize(
    ("facts", "title"),
    [
        ({"payment_method_id": "pm_2", "before": "pm_1"}, "Default payment method changed"),
        (
            {"payment_method_id": "pm_2", "before": "pm_1", "same_card": "yes"},
            "Same card or account saved again; still the default",
        ),
        ({"payment_method_id": "pm_1"}, "Saved payment method made the default"),
        ({"before": "pm_1"}, "No default payment method"),
    ],
)
def test_a_default_that_came_changed_or_went_is_distinguished(facts: dict[str, str], title: str) -> None:
    assert wording.describe(entry("default_method.changed", **facts)).title == title


def test_an_ended_mandate_is_distinguished() -> None:
    ended = wording.describe(entry("mandate.updated", before="active", after="inactive"))

    assert (ended.title, ended.tone) == ("The bank ended the debit mandate", "error")


def test_every_status_has_words() -> None:
    assert [status for status in PaymentStatus if status not in payers.STATUS_TABLE] == []
    assert payers.status_info("hovering_about").label == "Hovering about"


def test_every_event_type_has_a_name() -> None:
    assert {*event_types.LABELS} == {*EVENTS}


def test_every_status_fits_its_column() -> None:
    column = payers.Payer.__table__.c.status.type
    assert isinstance(column, sa.String)

    assert [status.value for status in PaymentStatus if len(status) > (column.length or 0)] == []


def test_several_kinds_are_told_in_one_breath() -> None:
    assert wording.describe_kinds("setup.succeeded, payment_method.saved") == (
        "Setup succeeded; Payment method saved"
    )
    assert wording.describe_kinds("of.old") == "of.old"


@for_each("code", decline_reasons.CODES)
def test_every_decline_has_a_meaning_and_an_advice(code: str) -> None:
    decline = decline_reasons.explain("card_declined", code)

    assert decline is decline_reasons.CODES[code]
    assert decline.means.endswith(".")
    assert decline.advice.endswith(".")


def test_the_banks_code_says_more_than_stripes() -> None:
    assert decline_reasons.explain("card_declined", "lost_card") is decline_reasons.CODES["lost_card"]
    assert decline_reasons.explain("incorrect_cvc", None) is decline_reasons.CODES["incorrect_cvc"]
    assert decline_reasons.explain("card_declined", "never_seen") is decline_reasons.CODES["card_declined"]


def test_a_decline_that_nobody_has_heard_of_is_told_anyway() -> None:
    decline = decline_reasons.explain(None, "brand_new_reason")

    assert "only as a code" in decline.means


def entry(kind: str, **facts: str) -> audit.Entry:
    """An entry that stands in no database."""
    return audit.Entry(kind=kind, actor="stripe", facts=facts)
