"""A program replaces a customer as a whole, and deletes it so that another customer can have its key and
subjects."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app import customers, payers
from app.core import db
from app.customers import Customer
from tests.support.api import Api
from tests.support.customers import ACME, UNKNOWN, WHOLE, make, subjects
from tests.support.rivals import commits_meanwhile
from tests.support.rows import Rows


class TestReplace:
    """`PUT /customers/{idOrKey}`."""

    def test_replaces_everything(self, api: Api, rows: Rows) -> None:
        made = make(api, **WHOLE)

        answer = api.put("/customers/acme", {"name": "New", "usageAttribution": subjects("meter-1", "new")})

        body = answer.get_json()
        [row] = rows(Customer)
        assert answer.status_code == 200
        assert body.keys() == {"id", "name", "usageAttribution", "createdAt", "updatedAt"}
        assert body["usageAttribution"] == subjects("meter-1", "new")
        assert (body["id"], body["createdAt"]) == (made["id"], made["createdAt"])
        assert body["updatedAt"] > made["updatedAt"]
        assert row.billing_address is row.primary_email is row.currency is row.extra is None
        assert api.get(f"/customers/{made['id']}").get_json() == body

    def test_keeps_its_own_names(self, api: Api) -> None:
        make(api, **WHOLE)

        answer = api.put("/customers/acme", WHOLE | {"name": "New"})

        assert answer.status_code == 200
        assert answer.get_json()["usageAttribution"] == subjects("meter-1", "meter-2")

    @pytest.mark.parametrize(("path", "status"), [(UNKNOWN, 404), ("nobody", 404)])
    def test_knows_only_what_is_there(self, api: Api, path: str, status: int) -> None:
        assert api.put(f"/customers/{path}", ACME).status_code == status

    def test_leaves_a_deleted_one_alone(self, api: Api) -> None:
        made = make(api, key="acme")
        api.delete("/customers/acme")

        answers = [api.put(f"/customers/{path}", ACME).status_code for path in (made["id"], "acme")]

        assert answers == [412, 404]

    def test_refuses_what_creating_refuses(self, api: Api) -> None:
        made = make(api, key="acme")
        refused: list[Any] = [{"name": "A"}, {"key": "a"}, [], "x"]

        answers = [api.put("/customers/acme", body) for body in refused]

        assert [answer.status_code for answer in answers] == [400] * 4
        assert api.get("/customers/acme").get_json() == made


class TestDelete:
    """`DELETE /customers/{idOrKey}`."""

    @pytest.mark.parametrize("way", ["id", "key"])
    def test_marks_it(self, api: Api, rows: Rows, way: str) -> None:
        made = make(api, **WHOLE)

        answer = api.delete(f"/customers/{made[way]}")

        [row] = rows(Customer)
        assert (answer.status_code, answer.get_data()) == (204, b"")
        assert "Content-Type" not in answer.headers
        assert row.deleted_at is not None
        assert all(subject.deleted_at for subject in row.subjects)

    def test_does_it_once(self, api: Api) -> None:
        made = make(api, key="acme")
        api.delete("/customers/acme")

        again = [api.delete(f"/customers/{path}").status_code for path in (made["id"], "acme", "nobody")]

        assert again == [412, 404, 404]

    def test_keeps_what_it_was_called(self, api: Api) -> None:
        made = make(api, **WHOLE)
        api.delete("/customers/acme")

        body = api.get(f"/customers/{made['id']}").get_json()

        assert (body["key"], body["usageAttribution"]) == ("acme", subjects("meter-1", "meter-2"))


def test_replaces_what_somebody_else_has_stored_meanwhile(app: Flask, api: Api, rows: Rows) -> None:
    made = make(api, key="acme", name="Before", primaryEmail="before@example.com")

    def change(session: Session) -> None:
        theirs = customers.NewCustomer(id=made["id"], name="Theirs", key="acme", subject_keys=())
        held = session.get_one(Customer, made["id"], with_for_update=True)
        payers.replace_customer(session, held, theirs, actor="test")

    wanted = {"name": "Before", "key": "acme", "primaryEmail": "ours@example.com"}
    answer = commits_meanwhile(app, change, lambda: api.put("/customers/acme", wanted))

    [row] = rows(Customer)
    assert answer.status_code == 200
    assert (row.name, row.primary_email) == ("Before", "ours@example.com")


@pytest.mark.parametrize("name", ["id", "key"])
def test_holds_nobody_up_who_writes_what_refers_to_a_customer(app: Flask, api: Api, name: str) -> None:
    made = make(api, key="acme")
    with app.app_context():
        if db.engine().dialect.name != "postgresql":
            pytest.skip("on SQLite one writes at a time")
        customers.by_id_or_key(db.session(), made[name], lock=True)
        row = sa.select(Customer.id).where(Customer.id == made["id"])
        refers = row.with_for_update(read=True, key_share=True, nowait=True)  # as a foreign key does

        with db.engine().connect() as other:
            assert other.execute(refers).scalar_one() == made["id"]
