"""What goes over the wire as JSON: OpenMeter's names, and text that can be stored."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    ValidationInfo,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.functional_serializers import PlainSerializer
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from app.web.input.storable import is_unstorable

ULID_PATTERN = r"^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$"

Ulid = Annotated[
    str,
    StringConstraints(pattern=ULID_PATTERN),
    AfterValidator(str.upper),
    Field(examples=["01K0A5QJ7M8Z3T9V4XWYB2C6DE"]),
]
Instant = Annotated[
    datetime,
    PlainSerializer(lambda at: at.isoformat().replace("+00:00", "Z"), return_type=str),
    Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-02T09:30:00.123456Z"]),
]


FROM_THE_WIRE = {"from": "the wire"}  # the context in which what others sent is validated
_NULL = object()  # of no type that any field takes, so that the field's own error says what is allowed


class WireModel(BaseModel):
    """A body or an answer. Names are camelCase on the wire, and read in any letter case.

    OpenMeter's own server reads them so, and its documentation relies on it (`successUrl` for
    `successURL`). Unknown fields are ignored. Where a name comes twice, the exact one wins.
    """

    nullable: ClassVar[frozenset[str]] = frozenset()  # what may be null; elsewhere null is an error

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        frozen=True,
        defer_build=True,  # until the first one comes: each start would make dozens of them
    )

    @model_validator(mode="before")
    @classmethod
    def _any_letter_case(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, dict) or info.context is not FROM_THE_WIRE:
            return value  # an answer that we make ourselves
        names = {
            (field.alias or name).casefold(): field.alias or name for name, field in cls.model_fields.items()
        }
        known = {key: item for key, item in value.items() if key.casefold() in names}
        folded = {names[key.casefold()]: item for key, item in known.items()}
        folded |= {key: item for key, item in known.items() if key in names.values()}
        return {
            key: _NULL if item is None and key not in cls.nullable else item for key, item in folded.items()
        }

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The schema as the wire has it: what may be left out may not be null, and all else is there."""
        made = handler(schema)
        whole = handler.resolve_ref_schema(made)
        for name, part in whole.get("properties", {}).items():
            part.pop("title", None)
            if part.get("default", ...) is None:
                del part["default"]
            if "anyOf" in part and name not in cls.nullable:
                choices = [choice for choice in part.pop("anyOf") if choice != {"type": "null"}]
                part.update({**choices[0], **part} if len(choices) == 1 else {"anyOf": choices})
            if (
                handler.mode == "serialization"
                and "default" in part
                and name not in whole.get("required", ())
            ):
                whole.setdefault("required", []).append(name)
        return made

    def answer(self) -> dict[str, Any]:
        """The JSON of an answer: what has no value is left out, never null."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def unstorable(value: Any) -> Iterator[str]:
    """JSON pointers to strings, or names, with a NUL or half a surrogate pair: no database takes them.

    A stack instead of calls, because JSON may be nested deeper than calls may.
    """
    left: list[tuple[str, Any]] = [("", value)]
    while left:
        pointer, item = left.pop()
        if isinstance(item, str) and is_unstorable(item):
            yield pointer
        elif isinstance(item, dict):
            left += [(pointer, name) for name in item]
            left += [(f"{pointer}/{escaped(name)}", inner) for name, inner in item.items()]
        elif isinstance(item, list):
            left += [(f"{pointer}/{index}", inner) for index, inner in enumerate(item)]


def escaped(name: str) -> str:
    """A name as a part of a JSON pointer. Source: https://www.rfc-editor.org/rfc/rfc6901"""
    return name.encode("utf-8", "replace").decode().replace("~", "~0").replace("/", "~1")
