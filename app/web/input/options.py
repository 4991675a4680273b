"""A list of many options that is drawn once, and not again for each page."""

from functools import lru_cache
from typing import Any

from markupsafe import Markup
from wtforms import SelectField
from wtforms.widgets import Select, html_params

Labels = tuple[tuple[str, str], ...]  # value and label
MAX_LISTS = 64  # each language and each profile may have another list
OPTION, CHOSEN = Markup('<option value="%s">%s</option>'), Markup('<option selected value="%s">%s</option>')


class CachedSelect(Select):  # type: ignore[misc]  # WTForms has no types
    """Draws a select from pairs of value and label. It keeps the drawn options of each list."""

    def __call__(self, field: SelectField, **attributes: Any) -> Markup:
        """Draw it, with the field's value selected."""
        attributes.setdefault("id", field.id)
        for name in self.validation_attrs:
            if getattr(field.flags, name, False):
                attributes.setdefault(name, True)
        labels = tuple((str(value), str(label)) for value, label in field.choices)
        own = Markup(html_params(name=field.name, **attributes))  # noqa: S704 (WTForms has escaped it)
        return Markup("<select %s>%s</select>") % (own, _options(labels, str(field.data)))


@lru_cache(maxsize=MAX_LISTS)
def _options(labels: Labels, chosen: str) -> Markup:
    drawn = ((CHOSEN if value == chosen else OPTION) % (value, label) for value, label in labels)
    return Markup("").join(drawn)
