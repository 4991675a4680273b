"""The API, explained: the document and the page."""

import json
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.api.operation import Operation
from app.application import APIS
from tests.conftest import PORTAL
from tests.support.browser import Page
from tests.support.cases import for_each

OPERATIONS = [operation for api in APIS for operation in api.operations]
JSON = dict[str, Any]


@pytest.fixture
def document(client: FlaskClient) -> JSON:
    found: JSON = json.loads(client.get("/api/openapi.json").get_data())
    return found


@pytest.fixture
def page(client: FlaskClient) -> Page:
    return Page.of(client.get("/api/docs"))


def described(document: JSON, operation: Operation) -> JSON:
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", operation.rule)
    found: JSON = document["paths"][path][operation.method.lower()]
    return found


def fits(document: JSON, schema: JSON, value: Any) -> bool:
    whole = {"components": document["components"], **schema}
    return bool(Draft202012Validator(whole).is_valid(value))


class TestDocument:
    """`/api/openapi.json`."""

    def test_is_valid_openapi(self, document: JSON) -> None:
        OpenAPIV31SpecValidator(document).validate()

        assert document["openapi"] == "3.1.0"
        assert document["servers"] == [{"url": PORTAL}]

    def test_needs_no_token_and_may_be_kept(self, client: FlaskClient) -> None:
        answer = client.get("/api/openapi.json")

        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == "max-age=300"

    def test_is_made_once(self, client: FlaskClient) -> None:
        first, second = (client.get("/api/openapi.json").get_data() for _ in range(2))

        assert first == second

    def test_has_every_route(self, app: Flask, document: JSON) -> None:
        routed = {
            (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
            for rule in app.url_map.iter_rules()
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
            if rule.rule.startswith("/api/v1/") and not rule.rule.endswith("/stripe/webhook")
        }

        written = {(path, method) for path, methods in document["paths"].items() for method in methods}
        assert written == routed

    def test_names_each_operation_once(self, document: JSON) -> None:
        ids = [
            operation["operationId"]
            for methods in document["paths"].values()
            for operation in methods.values()
        ]

        assert len(ids) == len(set(ids))

    def test_allows_null_only_where_it_is_taken(self, document: JSON) -> None:
        nullable = {
            (model, name)
            for model, schema in document["components"]["schemas"].items()
            for name, part in schema.get("properties", {}).items()
            if {"type": "null"} in part.get("anyOf", ())
        }

        assert {name for _, name in nullable} <= {"metadata"}

    @for_each("operation", OPERATIONS)
    def test_says_who_may_what_and_how_it_fails(self, document: JSON, operation: Operation) -> None:
        found = described(document, operation)

        assert re.fullmatch(r"[^.]+\.", found["summary"])  # one sentence, whole
        assert f"scope `{operation.scope}`" in found["description"]
        assert {"400", "401", "403", "500", str(operation.status)} <= found["responses"].keys()
        assert ("409" in found["responses"]) >= (operation.method == "POST")
        assert ("413" in found["responses"]) == ("requestBody" in found)
        assert all(parameter["schema"] for parameter in found["parameters"])

    @for_each("operation", OPERATIONS)
    def test_gives_examples_that_fit(self, document: JSON, operation: Operation) -> None:
        found = described(document, operation)

        for content in found.get("requestBody", {}).get("content", {}).values():
            assert content["examples"]
            for example in content["examples"].values():
                assert fits(document, content["schema"], example["value"])
        for content in found["responses"][str(operation.status)].get("content", {}).values():
            assert fits(document, content["schema"], content["example"])

    def test_gives_an_example_of_every_problem(self, document: JSON) -> None:
        for status, response in document["components"]["responses"].items():
            [(kind, content)] = response["content"].items()
            assert kind == "application/problem+json"
            assert content["example"]["status"] == int(status)
            assert fits(document, content["schema"], content["example"])


class TestPage:
    """`/api/docs`."""

    def test_shows_every_operation_with_its_address_and_scope(self, page: Page) -> None:
        for operation in OPERATIONS:
            article = page.one("article", id=operation.id)
            shown = article.text
            assert operation.method in shown
            assert re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", operation.rule) in shown
            assert f"scope {operation.scope} ." in shown
            assert f"{operation.status}" in shown
            assert "401" in shown
            assert len(article.all("pre", class_="api-curl")) == max(1, len(operation.examples))

    def test_shows_fields_with_type_limits_and_need(self, page: Page) -> None:
        lines = [line.text for line in page.one("article", id="createCustomer").all("li")]

        assert "name string required 1 to 256 characters." in lines
        assert "usageAttribution CustomerUsageAttribution" in lines
        assert any(line.startswith("key string Your own id") for line in lines)

    def test_gives_commands_that_can_be_copied(self, page: Page) -> None:
        [curl, *_] = page.one("article", id="createCustomer").all("pre", class_="api-curl")

        command = "".join(str(child) for child in curl.children)
        assert command.startswith(f"curl -X POST {PORTAL}/api/v1/customers")
        assert "Authorization: Bearer $TOKEN" in command
        assert '"key": "my-database-id"' in command

    def test_leads_from_its_contents_to_every_part(self, page: Page) -> None:
        links = {link["href"] for link in page.one("nav").all("a")}

        assert {f"#{operation.id}" for operation in OPERATIONS} | {"#begin", "#objects"} <= links

    def test_explains_every_object(self, page: Page, document: JSON) -> None:
        for name in document["components"]["schemas"]:
            assert page.one("article", id=f"object-{name}").one("h3").text == name

    def test_needs_no_script_and_no_token(self, client: FlaskClient) -> None:
        answer = client.get("/api/docs")

        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "max-age=300"
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
