"""Which method becomes the default at Stripe: by policy, in the order in which things were done there.

We may hear of a saved method long after somebody has chosen another default. Stripe's list of events says
which came first, whatever we heard first.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.config import settings
from app.gateway import DefaultChange, Method, StripeGateway, StripePermissionMissing, StripeRefused
from app.payers import Payer
from app.sync.ask import Known, Truth, type_alive
from app.sync.blocking import close_sessions

MAX_PAGES = 10  # of a hundred events each
TYPES = ("customer.updated", "setup_intent.succeeded")


@dataclass(frozen=True)
class SavedMethod:
    """A method that somebody saved on a Checkout page of ours, and the SetupIntent (seti_…) that saved it."""

    setup_id: str
    method: Method


def apply_policy(stripe: StripeGateway, known: Known, truth: Truth, alive: type_alive) -> None:
    """Make the method that was saved last the default, once for each checkout session.

    A default that somebody chose after that method was saved stays: in the console, through the API or in
    Stripe's Dashboard.
    """
    if truth.customer.deleted:
        return
    close_sessions(stripe, known, truth, alive)
    if known.payer.is_choice_due:
        _restore_choice(stripe, known, truth, alive)
    pages = (truth.pages[page.id] for page in known.pages)  # the newest page first, which of two alike counts
    setups = [facts.setup for facts in pages if facts and facts.setup.status == "succeeded"]
    saved = [SavedMethod(setup.id, setup.method) for setup in setups if setup.method is not None]
    if not saved:
        return
    last = max(saved, key=lambda found: found.method.created_at)
    default, customer_id = truth.customer.default_method, known.payer.stripe_customer_id
    keeps = settings().payment_method_policy == "keep" and default is not None
    if last.method.customer_id != customer_id or keeps:
        return
    if default is None or default.id != last.method.id:
        if default is not None and _is_newer(stripe, known.payer, default, last, alive):
            return
        alive()
        truth.customer = stripe.set_default_method(customer_id, last.method.id)
    truth.policy_method_id = last.method.id


def _restore_choice(stripe: StripeGateway, known: Known, truth: Truth, alive: type_alive) -> None:
    """Repeat a choice that our own policy undid, because the two were under way at the same time."""
    payer, default = known.payer, truth.customer.default_method
    chosen = payer.chosen_method_id
    is_undone = default is not None and default.id == payer.policy_method_id
    if not is_undone or chosen in {None, payer.policy_method_id}:
        return
    alive()
    with suppress(StripeRefused):  # it is no longer attached
        truth.customer = stripe.set_default_method(payer.stripe_customer_id, chosen)


def _is_newer(
    stripe: StripeGateway, payer: Payer, default: Method, saved: SavedMethod, alive: type_alive
) -> bool:
    """Did the default become the default after that method was saved?"""
    is_policys = default.id == payer.policy_method_id != payer.chosen_method_id
    if is_policys and default.created_at > saved.method.created_at:  # it was saved through us, too
        return True
    try:
        for event in _events(stripe, saved.method.created_at, alive):
            change = DefaultChange.of(event)
            if change is not None and change.customer_id == payer.stripe_customer_id:
                return True
            if event["type"] == "setup_intent.succeeded" and event["data"]["object"]["id"] == saved.setup_id:
                return False
    except StripePermissionMissing:
        is_others = default.id != payer.default_method_id or default.id == payer.chosen_method_id
        return is_others and not is_policys
    return False


def _events(stripe: StripeGateway, since: datetime, alive: type_alive) -> Iterator[dict[str, Any]]:
    after = None
    for _ in range(MAX_PAGES):
        alive()
        page = stripe.events(since, after=after, types=TYPES)
        yield from page.events
        if not page.has_more:
            return
        after = page.last_id
