"""Whatever a program sends, good or bad, the API answers with a status and a body that its description names.

The requests are made up: a few, and the same ones in every run. This sends many others, from the seed that
`--hypothesis-seed` names:

    pytest tests/contract/test_schemathesis.py --timeout 3600 --hypothesis-profile many-requests
"""

import json
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app import APIS
from app.web.openapi import document
from tests.contract.conftest import MANY_REQUESTS
from tests.support.api import Api
from tests.support.cases import for_each
from tests.support.openmeter import SUBSET, description, needs_subset
from tests.support.tokens import bearer

JSON = dict[str, Any]

OWN = document((operation for api in APIS for operation in api.operations), server="/", version="test")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
NOT_OFFERED = {"marketplaceOAuth2InstallGetURL", "marketplaceOAuth2InstallAuthorize"}  # 501, as at OpenMeter


def operations(described: JSON) -> list[tuple[str, str, str]]:
    """Path, method and id of what is described."""
    return [
        (path, method.upper(), operation["operationId"])
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if method in {"get", "post", "put", "delete"} and operation["operationId"] not in NOT_OFFERED
    ]


@pytest.fixture
def there(app: Flask, client: FlaskClient) -> dict[str, str]:
    """What is there to be found: values for the addresses."""
    api = Api(client, bearer(app))
    customer = {"name": "ACME, Inc.", "key": "acme"}
    api.post(
        "/stripe/checkout/sessions",
        {"customer": customer, "options": {"successURL": "https://example.com/s"}},
    )
    app_id = api.get("/apps").get_json()["items"][0]["id"]
    return {"customerIdOrKey": "acme", "id": app_id, "appId": app_id, "type": "stripe"}


def limits() -> settings:
    """How many requests are made up, and whether they are the same ones in every run."""
    many = settings.get_current_profile_name() == MANY_REQUESTS
    return settings(
        max_examples=200 if many else 5,
        derandomize=not many,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


def attack(
    app: Flask, there: dict[str, str], described: JSON, path: str, method: str, mode: GenerationMode
) -> None:
    """Send what fits the description, or what does not, and look at each answer."""
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(described)))
    schema.app = app
    operation = schema[path][method]
    headers = bearer(app)
    found = {name: value for name, value in there.items() if f"{{{name}}}" in path}
    cases = operation.as_strategy(generation_mode=mode)
    if found:
        cases |= operation.as_strategy(generation_mode=mode, path_parameters=found)

    @limits()
    @given(case=cases)
    def send(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    send()


@pytest.mark.parametrize(("path", "method"), [pytest.param(*one[:2], id=one[2]) for one in operations(OWN)])
@for_each("mode", MODES)
def test_keeps_to_its_own_description(
    app: Flask, there: dict[str, str], path: str, method: str, mode: GenerationMode
) -> None:
    attack(app, there, OWN, path, method, mode)


@needs_subset
@pytest.mark.parametrize(
    ("path", "method"),
    [pytest.param(*one[:2], id=one[2]) for one in (operations(description()) if SUBSET.exists() else [])],
)
@for_each("mode", MODES)
def test_keeps_to_openmeters_description(
    app: Flask, there: dict[str, str], path: str, method: str, mode: GenerationMode
) -> None:
    attack(app, there, description(), path, method, mode)
