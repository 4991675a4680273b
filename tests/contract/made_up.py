"""Requests that are made up from a description of the API, and the looks at their answers."""

import json
from functools import cache
from typing import Any

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contract.conftest import MANY_REQUESTS
from tests.support.tokens import bearer

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def limits() -> settings:
    """How many requests are made up, and whether they are the same ones in every run."""
    many = settings.get_current_profile_name() == MANY_REQUESTS
    return settings(
        max_examples=200 if many else 3,
        derandomize=not many,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


@cache
def _schema(described: str) -> Any:
    return schemathesis.openapi.from_dict(json.loads(described))


def attack(
    app: Flask, there: dict[str, str], described: dict[str, Any], path: str, method: str, mode: str
) -> None:
    """Send what fits the description (mode `positive`) or does not (`negative`), and look at each answer."""
    schema = _schema(json.dumps(described))
    schema.app = app
    operation = schema[path][method]
    generation_mode = GenerationMode(mode)
    headers = bearer(app)
    found = {name: value for name, value in there.items() if f"{{{name}}}" in path}
    cases = operation.as_strategy(generation_mode=generation_mode)
    if found:
        cases |= operation.as_strategy(generation_mode=generation_mode, path_parameters=found)

    @limits()
    @given(case=cases)
    def send(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    send()
