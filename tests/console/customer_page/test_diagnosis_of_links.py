"""The page of a customer says whether an onboarding link was sent, opened, used or is out of date."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from app import apps, audit, payers
from app.core import db
from app.onboarding import links
from app.simulator import Simulator
from tests.conftest import PORTAL
from tests.support.api import Api
from tests.support.browser import Page
from tests.support.console import post, sign_in
from tests.support.console_customer import diagnosis, look, section, tags


class TestDiagnosisOfALink:
    """How far a link has got, for a customer that Stripe does not know yet."""

    @pytest.fixture
    def customer_id(self, api: Api) -> str:
        """A customer with nothing but a name."""
        return str(api.post("/customers", {"name": "Ada", "key": "ada"}).get_json()["id"])

    def test_not_opened(self, app: Flask, customer_id: str) -> None:
        self._link(app, customer_id)

        page = look(customer_id, app)

        assert "has not been opened yet. If the customer lost it, renew it below" in diagnosis(page)
        assert "The onboarding link has not been opened Pending" in section(page, "Timeline").text

    def test_opened(self, app: Flask, customer_id: str) -> None:
        token = self._link(app, customer_id)
        self._press(app, token, "opened")

        page = look(customer_id, app)

        assert "The link was opened" in diagnosis(page)
        assert "but not used" in diagnosis(page)

    def test_used_while_stripe_was_away(self, app: Flask, customer_id: str, simulator: Simulator) -> None:
        token = self._link(app, customer_id)
        simulator.faults.add("500", "POST *", times=9)
        self._press(app, token)

        said = diagnosis(look(customer_id, app))
        assert "Signed up, not at Stripe yet" in said
        assert "Stripe had a problem." in said

    def test_refused_by_stripe(self, app: Flask, customer_id: str) -> None:
        token = self._link(app, customer_id)
        self._press(app, token)
        with app.app_context():
            session = db.session()
            audit.note(
                session,
                "checkout.refused",
                actor="visitor",
                customer_id=customer_id,
                app_id=apps.find(session).id,
                reason="Invalid email address: ada",
            )
            payer = payers.all_of_customer(session, customer_id)
            payers.unbind(session, payer[0].app_id, payer[0].customer, actor="test")
            session.commit()

        known = diagnosis(look(customer_id, app))

        assert "Stripe refused to open a checkout session" in known
        assert "Invalid email address: ada" in known

    def test_expired_and_revoked(self, app: Flask, customer_id: str, clock: time_machine.Traveller) -> None:
        self._link(app, customer_id)
        clock.shift(timedelta(days=31))

        expired = look(customer_id, app)
        post(
            sign_in(app, "operator"),
            f"/operator/customers/{customer_id}/links/{self._link_id(app, customer_id)}/revoke",
        )
        revoked = look(customer_id, app)

        assert "Renew it below and send it." in diagnosis(expired)
        assert tags(section(expired, "Onboarding links")) == ["Expired"]
        assert "has no link" in diagnosis(revoked)
        assert tags(section(revoked, "Onboarding links")) == ["Revoked"]

    def _link(self, app: Flask, customer_id: str) -> str:
        client = sign_in(app, "operator")
        answer = post(client, f"/operator/customers/{customer_id}/links")
        page = Page.of(client.get(answer.location))
        return page.one("input", id="once")["value"].removeprefix(PORTAL)

    def _link_id(self, app: Flask, customer_id: str) -> str:
        with app.app_context():
            return links.of_customer(db.session(), customer_id)[0].id

    def _press(self, app: Flask, path: str, button: str = "") -> None:
        client = app.test_client()
        page = Page.of(client.get(path))
        token = page.all("input", name="csrf_token")[0]["value"]
        client.post(f"{path}/{button}" if button else path, data={"csrf_token": token})
