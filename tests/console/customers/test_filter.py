"""The list of customers filters by status, by app, by date and by what is wrong."""

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.audit import Entry
from app.core import db
from app.core.db import utcnow
from app.customers import Customer
from app.simulator import Simulator
from tests.support.console import sign_in
from tests.support.console_customers import cells, delete, install_another, look, names
from tests.support.crowd import add, bill
from tests.support.rows import Rows


def set_approval(app: Flask, customer_id: str, approval: str) -> None:
    with app.app_context():
        session = db.session()
        session.execute(sa.update(Customer).where(Customer.id == customer_id).values(approval=approval))
        session.commit()


class TestFilter:
    """By payment, by app, and the deleted."""

    def test_keeps_those_with_a_status(self, app: Flask, console: FlaskClient) -> None:
        ids = [add(app, name) for name in ("Ada", "Bob", "Cid", "Dan")]
        bill(app, ids[:1], "saved")
        bill(app, ids[1:2], "failed")
        bill(app, ids[2:3], "none")

        found = {
            status: names(look(console, status=status, sort="name"))
            for status in ("saved", "failed", "none", "expired", "", "nonsense")
        }

        assert found == {
            "saved": ["Ada"],
            "failed": ["Bob"],
            "none": ["Cid", "Dan"],
            "expired": [],
            "": ["Ada", "Bob", "Cid", "Dan"],
            "nonsense": ["Ada", "Bob", "Cid", "Dan"],
        }

    def test_keeps_those_that_wait_for_approval(self, app: Flask, console: FlaskClient) -> None:
        ids = [add(app, name) for name in ("Ada", "Bob", "Cid", "Dan")]
        for id_, approval in zip(ids, ("waiting", "declined", "approved", "waiting"), strict=True):
            set_approval(app, id_, approval)
        delete(app, ids[3])
        page = look(console, show="waiting")

        assert names(page) == ["Ada"]
        assert "Waits for approval" in cells(page)["Payment"]
        assert page.one("select", id="show").one("option", value="waiting").attributes.keys() >= {"selected"}
        assert names(look(console, show="waiting", q="bob")) == []
        assert "deleted" not in look(console, show="waiting", q="dan").one("main").text
        assert [link["href"] for link in page.all("a") if link.text == "Clear"] == ["/operator/customers"]

    def test_downloads_those_that_wait_for_approval(self, app: Flask, rows: Rows) -> None:
        console = sign_in(app, "operator")
        ids = [add(app, name) for name in ("Ada", "Bob")]
        set_approval(app, ids[0], "waiting")

        lines = console.get("/operator/customers.csv?show=waiting").get_data(as_text=True).splitlines()

        assert [line.split(",")[1] for line in lines[1:]] == ["Ada"]
        [entry] = [each for each in rows(Entry) if each.kind == "customers.exported"]
        assert entry.facts == {"waiting": "yes"}

    def test_forgets_a_payer_that_is_gone(self, app: Flask, console: FlaskClient) -> None:
        bill(app, [add(app, "Ada")], "saved", deleted_at=utcnow())

        assert names(look(console, status="saved")) == []
        assert names(look(console, status="none")) == ["Ada"]

    def test_keeps_those_of_an_app(self, app: Flask, console: FlaskClient, simulator: Simulator) -> None:
        other = install_another(app, simulator)
        ids = [add(app, name) for name in ("Ada", "Bob", "Cid")]
        bill(app, ids[:2], "saved")
        bill(app, ids[1:], "failed", app_id=other)

        found = [
            names(look(console, sort="name", **query))
            for query in (
                {"app": other},
                {"app": other, "status": "saved"},
                {"app": other, "status": "none"},
                {"status": "saved"},
            )
        ]

        assert found == [["Bob", "Cid"], [], ["Ada"], ["Ada", "Bob"]]

    def test_offers_apps_only_when_there_are_several(
        self, app: Flask, console: FlaskClient, simulator: Simulator
    ) -> None:
        add(app, "Ada")
        alone = look(console)

        install_another(app, simulator)

        assert not alone.all("select", name="app")
        assert len(look(console).one("select", name="app").all("option")) == 3

    def test_keeps_the_deleted(self, app: Flask, console: FlaskClient) -> None:
        add(app, "Ada")
        delete(app, add(app, "Bob"))

        page = look(console, show="deleted")

        assert names(page) == ["Bob"]
        assert cells(page)["Payment"].startswith("Deleted")
        assert names(look(console)) == ["Ada"]
        assert names(look(console, show="deleted", status="saved")) == []

    def test_joins_with_a_search(self, app: Flask, console: FlaskClient) -> None:
        ids = [add(app, name) for name in ("Ada 1", "Ada 2", "Bob 1")]
        bill(app, ids, "saved")
        bill(app, [add(app, "Ada 3")], "failed")

        assert names(look(console, q="ada", status="saved", sort="name")) == ["Ada 1", "Ada 2"]
        assert names(look(console, q="ada", status="none")) == []

    def test_stays_in_the_form(self, app: Flask, console: FlaskClient) -> None:
        page = look(console, q="x y", status="failed", show="deleted", sort="-name", size="25")

        values = {name: page.value(name) for name in ("q", "status", "show", "sort", "size")}
        assert values == {"q": "x y", "status": "failed", "show": "deleted", "sort": "-name", "size": "25"}
