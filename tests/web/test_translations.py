"""`gangway i18n` finds what is wrong with the catalogues of translations."""

from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from click.testing import CliRunner
from flask import Flask

from app.cli import main
from app.web import languages
from app.web.languages import catalogues, check, messages
from app.web.languages.catalogues import load, path_of

TEXT, SECOND, SECONDS = "Write to %(address)s", "%(num)s second", "%(num)s seconds"


@pytest.fixture
def found() -> Catalog:
    """What the code says: one plain message, one with a context, one with a plural."""
    catalogue = Catalog()
    catalogue.add(TEXT)
    catalogue.add("Done", context="step")
    catalogue.add((SECOND, SECONDS))
    return catalogue


def catalogue_of(
    text: str = "Schreiben Sie an %(address)s",
    done: str = "Fertig",
    seconds: tuple[str, ...] = ("eine Sekunde", "%(num)s Sekunden"),
    flags: tuple[str, ...] = (),
    language: str = "de",
) -> Catalog:
    """Return a translation of those messages."""
    catalogue = Catalog(locale=language)
    catalogue.add(TEXT, text, flags=flags)
    catalogue.add("Done", done, context="step")
    catalogue.add((SECOND, SECONDS), seconds)
    return catalogue


def kinds(catalogue: Catalog, found: Catalog, language: str = "de") -> list[str]:
    """Return the kinds of fault in a catalogue."""
    return [fault.kind for fault in check.check(language, catalogue, found)]


def test_every_text_is_translated_into_every_language() -> None:
    printed = CliRunner().invoke(main, ["i18n", "check"])

    assert printed.output == "9 languages are complete.\n"
    assert printed.exit_code == 0


def test_a_fault_fails_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(catalogues, "FOLDER", tmp_path)

    checked = CliRunner().invoke(main, ["i18n", "check"])
    updated = CliRunner().invoke(main, ["i18n", "update"])
    again = CliRunner().invoke(main, ["i18n", "check"])

    assert checked.exit_code == again.exit_code == 1
    assert "de: missing: Skip to the content" in checked.output
    assert "messages in 9 languages" in updated.output
    assert (tmp_path / "pl" / "LC_MESSAGES" / "messages.po").is_file()


def test_a_complete_catalogue_has_no_fault(found: Catalog) -> None:
    assert kinds(catalogue_of(), found) == []


@pytest.mark.parametrize(
    "text",
    ["An %(adresse)s", "An jemanden", "An %(address)s %(more)s", "5 % an %(address)s", "%(address)d"],
)
def test_finds_placeholders_that_differ(found: Catalog, text: str) -> None:
    assert kinds(catalogue_of(text=text), found) == ["placeholders"]


def test_finds_a_percent_sign_that_nothing_fills_in(found: Catalog) -> None:
    assert kinds(catalogue_of(done="100 %"), found) == ["placeholders"]


def test_finds_what_is_missing(found: Catalog) -> None:
    assert kinds(catalogue_of(text="", done=""), found) == ["missing", "missing"]
    assert kinds(Catalog(locale="de"), found) == ["missing"] * 3


def test_finds_what_somebody_must_look_at(found: Catalog) -> None:
    assert kinds(catalogue_of(flags=("fuzzy",)), found) == ["fuzzy"]


def test_finds_what_is_used_no_longer(found: Catalog) -> None:
    catalogue = catalogue_of()
    catalogue.add("Old", "Alt")
    catalogue.obsolete["Older"] = Catalog().add("Older", "Älter")

    assert [str(fault) for fault in check.check("de", catalogue, found)] == [
        "de: unused: Old",
        "de: unused: Older",
    ]


@pytest.mark.parametrize(
    ("language", "forms"),
    [("de", ("Sekunde", "")), ("pl", ("a", "b")), ("ar", ("a",) * 5), ("ja", ("a", "b"))],
)
def test_finds_plural_forms_that_are_incomplete(
    found: Catalog, language: str, forms: tuple[str, ...]
) -> None:
    assert "plural" in kinds(catalogue_of(seconds=forms, language=language), found, language)


def test_names_the_context_of_a_message(found: Catalog) -> None:
    faults = check.check("de", Catalog(locale="de"), found)

    assert "de: missing: [step] Done" in [str(fault) for fault in faults]
    assert f"de: missing: {SECOND}" in [str(fault) for fault in faults]


def test_prints_a_template_for_another_language() -> None:
    printed = CliRunner().invoke(main, ["i18n", "extract"]).output_bytes

    template = read_po(BytesIO(printed))
    assert template.get("Skip to the content") is not None
    assert template.get("Use %(number)s characters or fewer.") is not None
    assert template.get("Done", "step") is not None


def test_an_update_changes_only_what_the_code_changed(found: Catalog) -> None:
    first = messages.dump(catalogue_of())
    again = messages.dump(read_po(BytesIO(first), locale="de"))

    assert first == again
    assert b"Date" not in first


def test_a_language_without_a_catalogue_reads_english(app: Flask) -> None:
    assert load("en").gettext("Details") == "Details"
    assert load("sv").gettext("Details") == "Details"
    assert not path_of("sv").exists()
    with app.test_request_context("/"):
        assert languages.translated("") == ""
