"""Fetch from Stripe what is true of a payer, in as few calls as possible."""

from collections.abc import Collection
from contextlib import suppress

from sqlalchemy.orm import Session

from app import checkout, payers, webhooks
from app.core.values import frozen
from app.gateway import StripeGateway, StripeObjectMissing, StripeSession
from app.sync.convergence.contact import DueContact
from app.sync.convergence.state import Heartbeat, StripeState


@frozen
class LocalState:
    """What our record holds, and the ids that waiting events mention: everything to ask Stripe about."""

    payer: payers.Payer
    sessions: list[checkout.CheckoutSession]  # unfinished ones, the newest first
    events: webhooks.Unfinished
    method_ids: set[str]
    mandate_ids: set[str]
    full: bool  # fetch everything, not only what we know about
    is_over_limit: bool  # too many attempts were declined
    contact: DueContact | None  # the name and email to send to Stripe

    @classmethod
    def of_many(cls, session: Session, payer_ids: Collection[str], *, full: bool) -> "list[LocalState]":
        """Read it from the database. A payer with a due reason is fetched in full."""
        found = payers.fresh_many(session, payer_ids)
        over_limit = webhooks.over_limit(session, found)
        events = webhooks.unfinished_of(session, found, over_limit=over_limit)
        sessions = checkout.unsettled_of(session, payer_ids)
        return [
            cls._of(
                payer,
                sessions[payer.id],
                events[payer.id],
                full=full or payer.due_reason is not None,
                is_over_limit=payer.id in over_limit,
            )
            for payer in found
        ]

    @classmethod
    def _of(
        cls,
        payer: payers.Payer,
        sessions: list[checkout.CheckoutSession],
        events: webhooks.Unfinished,
        *,
        full: bool,
        is_over_limit: bool,
    ) -> "LocalState":
        attached = payer.attached_methods
        return cls(
            payer=payer,
            sessions=sessions,
            events=events,
            method_ids={row.id for row in attached} | events.method_ids,
            mandate_ids={row.mandate_id for row in attached if row.mandate_id} | events.mandate_ids,
            full=full,
            is_over_limit=is_over_limit,
            contact=DueContact.due(payer),
        )

    @property
    def is_known(self) -> bool:
        """Do the events that wait tell nothing new, and is nothing else asked for?"""
        is_asked = self.payer.due_reason is not None or self.payer.is_contact_due
        return bool(self.events.known_ids) and not self.events.has_news and not is_asked


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
        customer = stripe.customer_or_gone(customer_id)
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
