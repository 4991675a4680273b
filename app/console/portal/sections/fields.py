"""Fields for what has several values: lines of text, and texts in several languages."""

import re
from typing import Any

from wtforms import TextAreaField

from app import portal
from app.web.input.forms import trimmed

NO_LANGUAGE = ""
LANGUAGE_FIRST = re.compile(r"\s*[a-z]{2}([-_][A-Za-z]{2})?\s*:")


class LinesField(TextAreaField):
    """A list, one value in each line."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take each line that is not blank."""
        text = valuelist[0] if valuelist else ""
        self.data = [line for line in map(trimmed, text.splitlines()) if line]

    def _value(self) -> str:
        return "\n".join(self.data or [])


class TranslationsField(TextAreaField):
    """A short text in several languages, one in each line: `de: Zurück zur App`.

    One line may have no language. The form gives it the profile's default.
    """

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read each line. Raises ValueError, which WTForms shows, for a language that we don't have."""
        self.data = texts = dict[str, str]()
        for line in (valuelist[0] if valuelist else "").splitlines():
            language, _, text = map(str.strip, line.partition(":"))
            if not line.strip():
                continue
            if language in portal.LANGUAGES and text:
                texts[language] = text
            elif NO_LANGUAGE in texts or LANGUAGE_FIRST.match(line):
                raise ValueError(
                    f"Write the language first: “en: …”. Languages: {', '.join(portal.LANGUAGES)}."
                )
            else:
                texts[NO_LANGUAGE] = line.strip()

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "\n".join(f"{language}: {text}" for language, text in (self.data or {}).items())


class QuestionsField(TextAreaField):
    """The company's questions, one in each line: `name | kind | presence | label | choices`."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read each line. What its parts may be is checked with the whole document."""
        self.data = []
        for line in (valuelist[0] if valuelist else "").splitlines():
            if not line.strip():
                continue
            parts = [part.strip() for part in line.split("|")]
            if not 4 <= len(parts) <= 5:
                raise ValueError("Write each question as “name | kind | presence | label | choices”.")
            name, kind, presence, label = parts[:4]
            choices = dict(map(_choice, filter(str.strip, parts[4].split(",")))) if len(parts) > 4 else {}
            self.data.append(
                {
                    "name": name,
                    "kind": kind,
                    "presence": presence,
                    "label": _labels(label),
                    "choices": [*choices],
                    "choice_labels": {choice: labels for choice, labels in choices.items() if labels},
                }
            )

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "\n".join(question_line(question) for question in self.data or [])


def _labels(text: str) -> dict[str, str]:
    """Read `Team; de: Gruppe`: a text without a language is English."""
    found = {}
    for part in text.split(";"):
        language, _, label = part.partition(":")
        is_named = language.strip() in portal.LANGUAGES
        found[language.strip() if is_named else "en"] = (label if is_named else part).strip()
    return found


def _choice(text: str) -> tuple[str, dict[str, str]]:
    """Read `Sales; de: Vertrieb`: the choice that is stored, and its labels in other languages."""
    choice, *labels = (part.strip() for part in text.split(";"))
    return choice, _labels(";".join(labels)) if labels else {}


def _choice_line(choice: str, labels: dict[str, str]) -> str:
    return "; ".join([choice, *(f"{language}: {text}" for language, text in labels.items())])


def question_line(question: dict[str, Any]) -> str:
    """Return a question as the field shows it."""
    label = "; ".join(f"{language}: {text}" for language, text in question["label"].items())
    parts = [question["name"], question["kind"], question["presence"], label]
    labels = question["choice_labels"]
    choices = [_choice_line(choice, labels.get(choice, {})) for choice in question["choices"]]
    return " | ".join([*parts, ", ".join(choices)] if choices else parts)
