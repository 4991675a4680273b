"""Fetch from Stripe what is true of a payer, in as few calls as possible."""

from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app import checkout, payers, webhooks
from app.gateway import StripeCustomer, StripeGateway, StripeObjectMissing, StripeSession
from app.sync.contact import DueContact
from app.sync.state import Heartbeat, StripeState


@dataclass(frozen=True)
class LocalState:
    """What our record holds, and the ids that waiting events mention: everything to ask Stripe about."""

    payer: payers.Payer
    sessions: list[checkout.CheckoutSession]  # unfinished ones, the newest first
    event_ids: list[str]
    method_ids: set[str]
    mandate_ids: set[str]
    full: bool  # fetch everything, not only what we know of
    is_over_limit: bool  # too many attempts were declined
    contact: DueContact | None  # the name and email to send to Stripe

    @classmethod
    def of(cls, session: Session, payer: payers.Payer, *, full: bool) -> "LocalState":
        """Read it from the database."""
        references = webhooks.referenced_ids(session, payer.id)
        attached = [row for row in payer.methods if row.detached_at is None]
        return cls(
            payer=payer,
            sessions=checkout.unsettled(session, payer.id),
            event_ids=webhooks.unfinished(session, payer.id),
            method_ids={row.id for row in attached} | references.method_ids,
            mandate_ids={row.mandate_id for row in attached if row.mandate_id} | references.mandate_ids,
            full=full,
            is_over_limit=webhooks.is_over_limit(session, payer),
            contact=DueContact.due(payer),
        )


def fetch(stripe: StripeGateway, local: LocalState, heartbeat: Heartbeat) -> StripeState:
    """Fetch the state of a payer. Changes nothing at Stripe.

    An unfinished session brings its SetupIntent, the customer and the default method in one call. List all
    methods in one more call when the first leaves open what became of a method that we know or an event
    mentions, or when `full`. Fetch each mandate that is still missing in a separate call.
    """
    sessions: dict[str, StripeSession | None] = {}
    for row in local.sessions:
        heartbeat()
        try:
            sessions[row.id] = stripe.session(row.stripe_id)
        except StripeObjectMissing:
            sessions[row.id] = None
    found = [facts for facts in sessions.values() if facts]
    customer_id = local.payer.stripe_id
    if found:
        customer = found[0].customer
    else:
        heartbeat()
        customer = _customer(stripe, customer_id)
    state = StripeState(customer, sessions)
    if state.customer.deleted:
        return state
    saved = [facts.setup.method for facts in found if facts.setup.status == "succeeded"]
    state.shown = [method for method in (*saved, state.customer.default_method) if method]
    named = {facts.setup.method.id for facts in found if facts.setup.method}
    if local.full or not found or not local.method_ids <= named | {method.id for method in state.shown}:
        heartbeat()
        state.methods = stripe.payment_methods(customer_id)
    state.mandates = [facts.setup.mandate for facts in found if facts.setup.mandate]
    for mandate_id in sorted(local.mandate_ids - {mandate.id for mandate in state.mandates}):
        heartbeat()
        with suppress(StripeObjectMissing):  # Stripe's test data was deleted: keep what we know
            state.mandates.append(stripe.mandate(mandate_id))
    return state


def _customer(stripe: StripeGateway, customer_id: str) -> StripeCustomer:
    try:
        return stripe.customer(customer_id)
    except StripeObjectMissing:
        return StripeCustomer(id=customer_id, deleted=True, default_method=None)
