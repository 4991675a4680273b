"""The settings refuse what makes no sense, and an import says where."""

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import create_app, portal
from app.core import db
from app.core.db import utcnow
from app.core.errors import Conflict, Invalid
from tests.conftest import make_settings
from tests.support.cases import for_each
from tests.support.pictures import png

QUESTION: dict[str, Any] = {"name": "team", "label": {"en": "Team"}}
CHOICE = QUESTION | {"kind": "choice"}
ROW = {"id": 1, "document": {}, "actor": "command", "created_at": utcnow()}


def load(**profile: Any) -> portal.PortalSettings:
    """Read a document with one profile."""
    return portal.load(json.dumps({"profiles": {"default": profile}}))


@for_each(
    "wrong",
    [
        ("profiles.default.links.support_email", {"links": {"support_email": "nobody"}}),
        ("profiles.default.brand.logo", {"brand": {"logo": {"media_type": "image/png", "data": "%"}}}),
        ("profiles.default.form.default_currency", {"form": {"default_currency": "XXQ"}}),
        ("profiles.default.form", {"form": {"fields": {"name": "optional"}}}),
        ("profiles.default.form", {"form": {"custom_fields": [QUESTION, QUESTION]}}),
        (
            "profiles.default.form.custom_fields.0",
            {"form": {"custom_fields": [CHOICE]}},
        ),
    ],
)
def test_wrong_values_are_named(wrong: tuple[str, dict[str, Any]]) -> None:
    place, profile = wrong

    with pytest.raises(Invalid) as refused:
        load(**profile)

    assert list(refused.value.fields) == [place]


def test_blank_addresses_are_none() -> None:
    assert load(links={"support_email": "", "terms_url": ""}).default.links == portal.Links()


def test_codes_of_currencies_are_in_upper_case() -> None:
    form = load(form={"default_currency": "eur", "currencies": ["eur", "EUR"]}).default.form

    assert (form.default_currency, form.currencies) == ("EUR", ("EUR",))


def test_long_texts_are_cut_in_the_audit_log() -> None:
    before, after = portal.differences({"a": "x"}, {"a": "y" * 900})

    assert before == {"a": "x"}
    assert len(str(after["a"])) == 501


def test_an_empty_part_that_gets_values_is_not_a_separate_change() -> None:
    empty: dict[str, Any] = {"texts": {}, "logo": None, "name": "x"}
    full = {"texts": {"lead": {"en": "Hi"}}, "logo": {"kind": "png"}, "name": "x"}

    assert portal.differences(empty, full) == ({}, {"texts.lead.en": "Hi", "logo.kind": "png"})
    assert portal.differences(full, empty) == ({"texts.lead.en": "Hi", "logo.kind": "png"}, {})


def test_of_two_editors_at_the_same_moment_one_is_refused(session: Session) -> None:
    if db.engine().dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")

    def publish_first(*_: object) -> None:
        with db.engine().connect() as other:
            other.execute(sa.insert(portal.PortalVersion).values(ROW))
            other.commit()

    sa.event.listen(session, "before_flush", publish_first, once=True)
    with pytest.raises(Conflict, match="Somebody else published at the same moment"):
        portal.publish(session, portal.PortalSettings(), actor="command")


def test_a_variable_with_a_logo_is_named(tmp_path: Path) -> None:
    file = tmp_path / "logo.png"
    file.write_bytes(png(8, 8))
    app = create_app(make_settings(logo_file=str(file)))

    with app.app_context():
        assert portal.variable_of(app.extensions["gangway.settings"])["brand.logo"] == "GANGWAY_LOGO_FILE"
