"""Whatever a program sends, good or bad, the API answers with a status and a body that its description names.

The requests are made up: a few, and the same ones in every run. This sends many others, from the seed that
`--hypothesis-seed` names:

    pytest tests/contract/test_schemathesis.py --timeout 3600 --hypothesis-profile many-requests
"""

import importlib
from types import ModuleType
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.api.documents.openapi import document
from app.application import APIS
from tests.support.api import Api
from tests.support.cases import for_each
from tests.support.openmeter import SUBSET, description, needs_subset
from tests.support.tokens import bearer

JSON = dict[str, Any]

OWN = document((operation for api in APIS for operation in api.operations), server="/", version="test")
MODES = ("positive", "negative")
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


def made_up() -> ModuleType:
    """The module that makes requests up; to import it takes a second, which only these tests spend."""
    return importlib.import_module("tests.contract.made_up")


@pytest.mark.parametrize(("path", "method"), [pytest.param(*one[:2], id=one[2]) for one in operations(OWN)])
@for_each("mode", MODES)
def test_keeps_to_its_own_description(
    app: Flask, there: dict[str, str], path: str, method: str, mode: str
) -> None:
    made_up().attack(app, there, OWN, path, method, mode)


@needs_subset
@pytest.mark.parametrize(
    ("path", "method"),
    [pytest.param(*one[:2], id=one[2]) for one in (operations(description()) if SUBSET.exists() else [])],
)
@for_each("mode", MODES)
def test_keeps_to_openmeters_description(
    app: Flask, there: dict[str, str], path: str, method: str, mode: str
) -> None:
    made_up().attack(app, there, description(), path, method, mode)
