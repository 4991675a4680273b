"""Make a saved method the default at Stripe, as the policy says and in the order of events at Stripe.

We may learn of a saved method long after somebody has chosen another default. Stripe's list of events says
which came first.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from app import portal
from app.core.values import frozen
from app.gateway import Method, StripeGateway, StripePermissionMissing, StripeRefused, is_default_chosen
from app.payers import Payer
from app.sync.convergence.blocking import close_sessions
from app.sync.convergence.fetch import LocalState
from app.sync.convergence.state import Heartbeat, StripeState

MAX_PAGES = 10  # of a hundred events each
TYPES = ("customer.updated", "setup_intent.succeeded")


@frozen
class SavedMethod:
    """A method that a customer saved in one of our checkout sessions, and its SetupIntent (seti_…)."""

    setup_id: str
    method: Method
    profile: str | None  # of the portal, in which it was saved; None: the default one


def apply_policy(stripe: StripeGateway, local: LocalState, state: StripeState, heartbeat: Heartbeat) -> None:
    """Make the last saved method the default, once for each checkout session.

    Leave a default that somebody chose later, in the console, through the API or in Stripe's Dashboard.
    """
    if state.customer.deleted:
        return
    close_sessions(stripe, local, state, heartbeat)
    if local.payer.is_choice_due:
        _restore_choice(stripe, local, state, heartbeat)
    # The newest session comes first, and counts when two saved at the same time.
    found = ((row.profile, state.sessions[row.id]) for row in local.sessions)
    setups = [(slug, facts.setup) for slug, facts in found if facts and facts.setup.status == "succeeded"]
    saved = [SavedMethod(setup.id, setup.method, slug) for slug, setup in setups if setup.method is not None]
    if not saved:
        return
    last = max(saved, key=lambda found: found.method.created_at)
    default, customer_id = state.customer.default_method, local.payer.stripe_id
    keeps = _policy(last.profile) in {"keep", "ask"} and default is not None
    if last.method.customer_id != customer_id or keeps:
        return
    if default is None or default.id != last.method.id:
        if default is not None and _is_newer(stripe, local.payer, default, last, heartbeat):
            return
        heartbeat()
        state.customer = stripe.set_default_method(customer_id, last.method.id)
    state.policy_method_id = last.method.id


def _policy(slug: str | None) -> str:
    """Return the policy of a profile. One that was deleted gives way to the default."""
    return portal.published().profile_of(slug).payment_method_policy


def _restore_choice(
    stripe: StripeGateway, local: LocalState, state: StripeState, heartbeat: Heartbeat
) -> None:
    """Repeat a choice that our policy undid because both ran at the same time."""
    payer, default = local.payer, state.customer.default_method
    chosen = payer.chosen_method_id
    is_undone = default is not None and default.id == payer.policy_method_id
    if not is_undone or chosen in {None, payer.policy_method_id}:
        return
    heartbeat()
    with suppress(StripeRefused):  # the method is no longer attached
        state.customer = stripe.set_default_method(payer.stripe_id, chosen)


def _is_newer(
    stripe: StripeGateway, payer: Payer, default: Method, saved: SavedMethod, heartbeat: Heartbeat
) -> bool:
    """Did the current default become so after this method was saved?"""
    is_by_policy = default.id == payer.policy_method_id != payer.chosen_method_id
    if is_by_policy and default.created_at > saved.method.created_at:  # a customer saved it through us, too
        return True
    try:
        for event in _events(stripe, saved.method.created_at, heartbeat):
            if is_default_chosen(event, payer.stripe_customer_id):
                return True
            if event["type"] == "setup_intent.succeeded" and event["data"]["object"]["id"] == saved.setup_id:
                return False
    except StripePermissionMissing:
        is_by_others = default.id != payer.default_method_id or default.id == payer.chosen_method_id
        return is_by_others and not is_by_policy
    return False


def _events(stripe: StripeGateway, since: datetime, heartbeat: Heartbeat) -> Iterator[dict[str, Any]]:
    after = None
    for _ in range(MAX_PAGES):
        heartbeat()
        page = stripe.events(since, after=after, types=TYPES)
        yield from page.events
        if not page.has_more:
            return
        after = page.last_id
