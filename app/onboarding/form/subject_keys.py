"""The repeated field of account or device names."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from wtforms import Field

from app.web.input.forms import trimmed
from app.web.input.visible import has_control_characters, hidden_character
from app.web.languages import gettext as _

MAX_SUBJECT_KEYS = 100
MAX_KEY_LENGTH = 256


class SubjectKeysField(Field):
    """A repeated text field: every `subject_keys` of the request, in order, blanks kept for the page."""

    def __init__(self, label: str, **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.entry_errors: dict[int, str] = {}
        self.pattern: str | None = None  # that names of visitors must have; `*` matches any text

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was typed, trimmed."""
        self.data = [trimmed(value) or "" for value in valuelist[: MAX_SUBJECT_KEYS + 1]]

    def process_data(self, value: Any) -> None:
        """Show what is given, or one blank."""
        self.data = list(value or []) or [""]

    def validate(self, _form: Any, _extra_validators: Any = ()) -> bool:
        """Check every key, and that there is one. `errors` is left for what is wrong with all of them."""
        self.data = self.data or [""]
        self.errors = []
        self.entry_errors = dict(self._problems())
        if self.flags.required and not any(self.data):
            self.entry_errors = {0: _("Enter at least one account or device name.")}
        if len(self.data) > MAX_SUBJECT_KEYS:
            self.errors = [_("Enter %(number)s names or fewer.", number=MAX_SUBJECT_KEYS)]
        return not (self.errors or self.entry_errors)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that were typed."""
        return tuple(key for key in self.data if key)

    def _problems(self) -> Iterator[tuple[int, str]]:
        seen: set[str] = set()
        for index, key in enumerate(self.data):
            if len(key) > MAX_KEY_LENGTH:
                yield index, _("Use %(number)s characters or fewer.", number=MAX_KEY_LENGTH)
            elif has_control_characters(key) or hidden_character(key):
                yield index, _("This has characters that can’t be used. Please retype it.")
            elif key and self.pattern and not fnmatchcase(key, self.pattern):
                yield index, _("This name can’t be used. Use one like %(pattern)s.", pattern=self.pattern)
            elif key and key in seen:
                yield index, _("You’ve already entered this name.")
            seen.add(key)
