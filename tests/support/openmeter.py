"""OpenMeter's own description of the API, where it is at hand, and answers held to it."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

from tests.support.api import Api

JSON = dict[str, Any]
SUBSET = Path(__file__).resolve().parents[3] / "shared" / "openmeter-subset.openapi.json"
needs_subset = pytest.mark.skipif(not SUBSET.exists(), reason=f"OpenMeter's description is not at {SUBSET}")


@cache
def description() -> JSON:
    """The description as it is."""
    found: JSON = json.loads(SUBSET.read_text())
    return found


class HeldApi(Api):
    """A caller that holds every answer to OpenMeter's description of its operation."""

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
        """Send a request, and look at what comes."""
        answer = super().call(method, path, body, **options)
        hold(method, f"/api/v1{path}", answer)
        return answer


def hold(method: str, path: str, answer: TestResponse) -> None:
    """Hold an answer to the description: its status, its content type and its body."""
    operation = _operation(method, path)
    responses = operation["responses"]
    content = responses.get(str(answer.status_code), responses["default"]).get("content")
    if content is None:
        assert answer.get_data() == b""
        return
    [(kind, described)] = content.items()
    assert answer.headers["Content-Type"] == kind
    whole = {"components": _plain(description()["components"]), **_plain(described["schema"])}
    wrong = [
        f"{error.json_path}: {error.message[:200]}"
        for error in Draft202012Validator(whole).iter_errors(answer.get_json())
    ]
    assert not wrong, f"{method} {path}: {wrong}"


def _operation(method: str, path: str) -> JSON:
    for template, operations in sorted(description()["paths"].items(), key=lambda item: "{" in item[0]):
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path) and method.lower() in operations:
            found: JSON = operations[method.lower()]
            return found
    pytest.fail(f"{method} {path} is not described")


def _plain(schema: Any) -> Any:
    """OpenAPI 3.0's `nullable` in the words of JSON Schema."""
    if isinstance(schema, list):
        return [_plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _plain(part) for name, part in schema.items()}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain
