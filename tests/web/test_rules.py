"""Rules are compiled for building addresses when somebody needs an address."""

from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Map, Rule

from app.web.addresses.rules import LateRule


def test_compiles_a_rule_when_its_first_address_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    compile_builder = Rule._compile_builder

    def noted(rule: Rule, *arguments: Any) -> Any:
        compiled.append(rule.rule)
        return compile_builder(rule, *arguments)

    monkeypatch.setattr(Rule, "_compile_builder", noted)
    rules = Map([LateRule("/customers/<id>", endpoint="customer"), LateRule("/apps", endpoint="apps")])
    before = list(compiled)
    addresses = [rules.bind("").build("customer", {"id": id_, "tab": "log"}) for id_ in ("a b", "c")]

    assert addresses == ["/customers/a%20b?tab=log", "/customers/c?tab=log"]
    assert before == []
    assert compiled == ["/customers/<id>"]


def test_is_what_the_portal_uses(app: Flask) -> None:
    assert all(isinstance(rule, LateRule) for rule in app.url_map.iter_rules())
