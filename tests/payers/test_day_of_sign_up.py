"""A payer holds the day of its customer's sign-up, whenever it is made."""

from datetime import timedelta

import pytest
import time_machine

from app.core.db import utcnow
from app.payers import Payer
from tests.support.api import Api, api
from tests.support.rows import Rows
from tests.support.world import World

__all__ = ["api"]


@pytest.mark.parametrize("way", ["bound", "reserved"])
def test_is_kept_however_late_a_payer_is_made(
    way: str, api: Api, world: World, rows: Rows, clock: time_machine.Traveller
) -> None:
    at_stripe = world.stripe("POST", "/v1/customers", name="Ada at Stripe")["id"]
    ada = api.post("/customers", {"name": "Ada", "key": "ada"}).get_json()
    signed_up_on = utcnow().date()
    clock.shift(timedelta(days=3))

    if way == "bound":
        answer = api.put(f"/customers/{ada['id']}/stripe", {"stripeCustomerId": at_stripe})
    else:
        options = {"successURL": "https://example.com/", "currency": "USD"}
        body = {"customer": {"id": ada["id"]}, "options": options}
        answer = api.post("/stripe/checkout/sessions", body)

    assert answer.status_code in {200, 201}, answer.get_data(as_text=True)
    assert [payer.signed_up_on for payer in rows(Payer)] == [signed_up_on]
