"""Fields for what has several values: lines of text, and texts in several languages."""

from typing import Any

from wtforms import TextAreaField

from app import portal
from app.web.forms import trimmed


class LinesField(TextAreaField):
    """A list, one value in each line."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take each line that is not blank."""
        text = valuelist[0] if valuelist else ""
        self.data = [line for line in map(trimmed, text.splitlines()) if line]

    def _value(self) -> str:
        return "\n".join(self.data or [])


class TranslationsField(TextAreaField):
    """A short text in several languages, one in each line: `de: Zurück zur App`."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read each line. Raises ValueError, which WTForms shows, for a line without a language."""
        self.data = {}
        for line in (valuelist[0] if valuelist else "").splitlines():
            language, _, text = line.partition(":")
            if not line.strip():
                continue
            if language.strip() not in portal.LANGUAGES or not text.strip():
                raise ValueError(
                    f"Write the language first: “en: …”. Languages: {', '.join(portal.LANGUAGES)}."
                )
            self.data[language.strip()] = text.strip()

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
            choices = [one.strip() for one in (parts[4] if len(parts) > 4 else "").split(",") if one.strip()]
            self.data.append(
                {
                    "name": name,
                    "kind": kind,
                    "presence": presence,
                    "label": _labels(label),
                    "choices": choices,
                }
            )

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "\n".join(_line(question) for question in self.data or [])


def _labels(text: str) -> dict[str, str]:
    """Read `Team; de: Gruppe`: a text without a language is English."""
    found = {}
    for part in text.split(";"):
        language, _, label = part.partition(":")
        is_named = language.strip() in portal.LANGUAGES
        found[language.strip() if is_named else "en"] = (label if is_named else part).strip()
    return found


def _line(question: dict[str, Any]) -> str:
    label = "; ".join(f"{language}: {text}" for language, text in question["label"].items())
    parts = [question["name"], question["kind"], question["presence"], label]
    return " | ".join([*parts, ", ".join(question["choices"])] if question["choices"] else parts)
