"""What the forms of the sections have in common: reading a profile's document, and writing into it."""

import copy
import hashlib
import json
from typing import Any, ClassVar

from flask_wtf import FlaskForm
from pydantic import ValidationError
from wtforms import HiddenField

from app import portal


class SectionForm(FlaskForm):
    """A form for values of a profile's document. `PLACES` says where each field has its value.

    A form with fields of another shape changes `read` and `write`.
    """

    PLACES: ClassVar[dict[str, portal.Place]] = {}
    NONE_IF_BLANK: ClassVar[frozenset[str]] = frozenset()  # fields that mean None when they are blank

    base = HiddenField()  # what the section was when the page was drawn

    @classmethod
    def read(cls, document: dict[str, Any]) -> dict[str, Any]:
        """Return the values of the fields."""
        values = {name: portal.value_at(document, place) for name, place in cls.PLACES.items()}
        return values | {name: values[name] or "" for name in cls.NONE_IF_BLANK}

    def write(self, document: dict[str, Any], *, decided: set[str]) -> None:
        """Put the values of the fields into a document, except those that variables decide."""
        for name, place in self.PLACES.items():
            if ".".join(place) not in decided:
                value = self[name].data
                portal.put_at(document, place, None if name in self.NONE_IF_BLANK and not value else value)

    @classmethod
    def digest(cls, document: dict[str, Any]) -> str:
        """Return a short name of what this section holds, to notice a change by somebody else."""
        values = json.dumps(cls.read(document), sort_keys=True, default=str)
        return hashlib.sha256(values.encode()).hexdigest()[:20]

    def changed(self, document: dict[str, Any], *, decided: set[str]) -> dict[str, Any]:
        """Return a copy of a document with the values of this form."""
        made = copy.deepcopy(document)
        self.write(made, decided=decided)
        return made

    def explain(self, error: ValidationError) -> list[str]:
        """Put each error beside its field. Return the sentences that belong to no field."""
        left = []
        for problem in error.errors(include_input=False, include_url=False):
            where = tuple(str(part) for part in problem["loc"])
            sentence = problem["msg"].removeprefix("Value error, ")
            field = next((name for name, place in self.PLACES.items() if where[: len(place)] == place), None)
            if field is None:
                left.append(f"{'.'.join(where)}: {sentence}" if where else sentence)
            else:
                self[field].errors = [*self[field].errors, sentence]
        return left
