"""Asking Stripe what is true of a payer, in as few calls as will do."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app import checkout, payers, webhooks
from app.gateway import (
    CustomerFacts,
    Mandate,
    Method,
    SessionFacts,
    StripeGateway,
    StripeObjectMissing,
    StripeRefused,
)
from app.sync.contact import DueContact

type_alive = Callable[[], None]  # says before each call that we are still at it; raises when another is


@dataclass(frozen=True)
class Known:
    """What our record has, and what the waiting events tell of: all that is worth a question."""

    payer: payers.Payer
    pages: list[checkout.CheckoutSession]  # unfinished ones, the newest first
    event_ids: list[str]
    method_ids: set[str]
    mandate_ids: set[str]
    is_whole: bool  # everything is to be asked about, not only what is known of
    is_over_limit: bool  # too many of its tries were declined
    contact: DueContact | None  # name and email that Stripe is to be told

    @classmethod
    def of(cls, session: Session, payer: payers.Payer, *, is_whole: bool) -> "Known":
        """Read it."""
        told = webhooks.told_of(session, payer.id)
        attached = [row for row in payer.methods if row.detached_at is None]
        return cls(
            payer=payer,
            pages=checkout.unsettled(session, payer.id),
            event_ids=webhooks.unfinished(session, payer.id),
            method_ids={row.id for row in attached} | told.method_ids,
            mandate_ids={row.mandate_id for row in attached if row.mandate_id} | told.mandate_ids,
            is_whole=is_whole,
            is_over_limit=webhooks.is_over_limit(session, payer),
            contact=DueContact.due(payer),
        )


@dataclass
class Truth:
    """What Stripe said of one payer."""

    customer: CustomerFacts
    pages: dict[str, SessionFacts | None] = field(default_factory=dict)  # None: Stripe knows no such page
    shown: list[Method] = field(default_factory=list)  # those that came along
    methods: list[Method] | None = None  # all attached ones, when they were asked for
    mandates: list[Mandate] = field(default_factory=list)
    policy_method_id: str | None = None  # what our policy has made the default, or found to be it
    is_blocked: bool = False  # too many tries were declined, and what was open is closed
    contact_refusal: str | None = None  # why Stripe does not take the name or email that we have


def ask(stripe: StripeGateway, known: Known, alive: type_alive) -> Truth:
    """One call when a page is unfinished: it brings its SetupIntent, the customer and the default along.

    One more for all methods, when that leaves open what became of one that we hold or were told of, or when
    the whole is wanted; and one for each mandate that it did not bring.
    """
    pages: dict[str, SessionFacts | None] = {}
    for page in known.pages:
        alive()
        try:
            pages[page.id] = stripe.session(page.id)
        except StripeObjectMissing:
            pages[page.id] = None
    read = [facts for facts in pages.values() if facts]
    customer_id = known.payer.stripe_customer_id
    if read:
        customer = read[0].customer
    else:
        alive()
        customer = _customer(stripe, customer_id)
    truth = Truth(customer, pages)
    if truth.customer.deleted:
        return truth
    saved = [facts.setup.method for facts in read if facts.setup.status == "succeeded"]
    truth.shown = [method for method in (*saved, truth.customer.default_method) if method]
    named = {facts.setup.method.id for facts in read if facts.setup.method}
    if known.is_whole or not read or not known.method_ids <= named | {method.id for method in truth.shown}:
        alive()
        truth.methods = stripe.payment_methods(customer_id)
    truth.mandates = [facts.setup.mandate for facts in read if facts.setup.mandate]
    for mandate_id in sorted(known.mandate_ids - {mandate.id for mandate in truth.mandates}):
        alive()
        with suppress(StripeObjectMissing):  # wiped test data: what we know stays
            truth.mandates.append(stripe.mandate(mandate_id))
    return truth


def tell_contact(stripe: StripeGateway, known: Known, truth: Truth, alive: type_alive) -> None:
    """Tell Stripe the name and email that are due.

    An email that Stripe refuses must not keep us from learning all else.
    """
    if known.contact is None:
        return
    try:
        truth.customer = known.contact.tell(stripe, truth.customer, alive)
    except StripeRefused as error:
        truth.contact_refusal = error.detail


def _customer(stripe: StripeGateway, customer_id: str) -> CustomerFacts:
    try:
        return stripe.customer(customer_id)
    except StripeObjectMissing:
        return CustomerFacts(id=customer_id, deleted=True, default_method=None)
