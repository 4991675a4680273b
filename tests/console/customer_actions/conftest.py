"""Fixtures of these tests: an operator in front of the page of a customer."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.api import Api
from tests.support.console import operator, sign_in
from tests.support.console_customer import Console
from tests.support.people import Person
from tests.support.world import World


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """The browser of an operator called Grace Hopper."""
    return sign_in(app, who=operator(app, "operator", name="Grace Hopper"))


@pytest.fixture
def console_of(client: FlaskClient) -> Callable[[Person], Console]:
    """The page of a person."""
    return lambda person: Console(client, person.payer.customer_id)


@pytest.fixture
def saved(world: World) -> Person:
    """Somebody who has saved a card."""
    person = world.person()
    person.save_card()
    world.settle()
    return person


@pytest.fixture
def customer(api: Api) -> dict[str, Any]:
    """A customer that Stripe does not know."""
    body = {"name": "Ada", "key": "k-1", "usageAttribution": {"subjectKeys": ["s-1", "s-2"]}}
    made: dict[str, Any] = api.post("/customers", body).get_json()
    return made
