"""Two customers who want one name at the same moment: the first gets it, the other one hears a conflict."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core.db import new_id, utcnow
from app.customers import Customer
from app.customers.models import SubjectKey
from tests.support.api import Api
from tests.support.console import post, sign_in
from tests.support.rivals import comes_first
from tests.support.rows import Rows

WANTED: dict[str, Any] = {"name": "ACME", "key": "acme", "usageAttribution": {"subjectKeys": ["anvils"]}}


def rival(key: str | None = None, subject_key: str | None = None) -> list[sa.Executable]:
    """What makes another customer with a key, or with a subject key."""
    made, now = new_id(), utcnow()
    row = {"id": made, "name": "Rival", "key": key, "created_at": now, "updated_at": now}
    writes: list[sa.Executable] = [sa.insert(Customer).values(**row)]
    if subject_key is not None:
        writes.append(sa.insert(SubjectKey).values(customer_id=made, key=subject_key))
    return writes


NAMES = pytest.mark.parametrize("name", [{"key": "acme"}, {"subject_key": "anvils"}], ids=["key", "subject"])


@NAMES
def test_a_new_customer_is_refused(app: Flask, api: Api, rows: Rows, name: dict[str, str]) -> None:
    with comes_first(app, "INSERT INTO customer ", *rival(**name)):
        answer = api.post("/customers", WANTED)

    assert answer.status_code == 409
    assert "ACME" not in {customer.name for customer in rows(Customer)}


@NAMES
def test_new_details_are_refused(app: Flask, api: Api, rows: Rows, name: dict[str, str]) -> None:
    held = api.post("/customers", {"name": "Before", "key": "before"}).get_json()

    with comes_first(app, "UPDATE customer ", *rival(**name)):
        answer = api.put(f"/customers/{held['id']}", WANTED)

    assert answer.status_code == 409
    assert "ACME" not in {customer.name for customer in rows(Customer)}


@NAMES
def test_a_deleted_customer_is_not_restored(app: Flask, api: Api, rows: Rows, name: dict[str, str]) -> None:
    held = api.post("/customers", WANTED).get_json()
    api.delete(f"/customers/{held['id']}")
    console = sign_in(app, "operator")

    with comes_first(app, "UPDATE customer ", *rival(**name)):
        answer = post(console, f"/operator/customers/{held['id']}/restore")

    [customer] = [row for row in rows(Customer) if row.id == held["id"]]
    assert answer.status_code == 409
    assert customer.deleted_at is not None
