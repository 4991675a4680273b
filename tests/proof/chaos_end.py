"""The end of a run of chaos: is everything done, and does the portal hold what Stripe holds?"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.checkout import CheckoutSession
from app.core import db
from app.customers import Customer
from app.payers import Payer
from app.webhooks import Event
from tests.proof.chaos_crowd import Crowd
from tests.proof.chaos_report import Report
from tests.proof.network_people import NetworkPerson
from tests.proof.remote_stripe import RemoteStripe
from tests.support.truth import FINISHED, compare

SAVED = "Your payment method is saved"


def is_everything_done(app: Flask) -> bool:
    """Is every stored event done? Only then is Stripe's store read, since that takes long."""
    with app.app_context():
        return not db.session().scalar(sa.select(sa.exists().where(Event.state.not_in(FINISHED))))


def compare_all(app: Flask, stripe: RemoteStripe, report: Report, crowd: Crowd) -> bool:
    """Compare everything again. Return whether there is nothing left to wait for."""
    store = stripe.store()
    with app.app_context():
        session = db.session()
        verdict = compare(session, store)
        report.besides, report.stranded = _besides(session, crowd), _stranded(session)
        report.lost = _lost(session, crowd)
        report.undone = [*_undone_choices(store, crowd), *_undone_edits(session, store, crowd)]
    report.verdict, report.agreeing = verdict, verdict.agreeing
    report.misled = [
        person.name for person in crowd.people if SAVED in person.headings and not _has_saved(store, person)
    ]
    return report.is_good or bool(report.gave_up)


def _besides(session: Session, crowd: Crowd) -> int:
    """Count the customers of programs, and those of people who never came back."""
    names = {person.name for person in crowd.people}
    return sum(key not in names for key in session.scalars(sa.select(Customer.key)))


def _stranded(session: Session) -> list[str]:
    """Name the customers that have not reached Stripe. Everybody here came by a form or with an order."""
    reached = sa.exists().where(Payer.customer_id == Customer.id, Payer.stripe_customer_id.is_not(None))
    return [str(key) for key in session.scalars(sa.select(Customer.key).where(~reached))]


def _lost(session: Session, crowd: Crowd) -> list[str]:
    session_id = CheckoutSession.stripe_session_id
    whose = sa.select(session_id, Customer.key).join(CheckoutSession.payer).join(Payer.customer)
    owners = {session_id: name for session_id, name in session.execute(whose)}  # noqa: C416 (rows are no pairs)
    return [
        f"{person.name} at {person.session_url}: it belongs to {owners.get(person.session_id)}"
        for person in crowd.people
        if owners.get(person.session_id) != person.name
    ]


def _undone_choices(store: Any, crowd: Crowd) -> Iterator[str]:
    for stripe_customer, chosen in crowd.program.chosen.items():
        default = store.customers[stripe_customer]["invoice_settings"]["default_payment_method"]
        if default != chosen:
            yield f"{stripe_customer}: a program chose {chosen}, and the default is {default}"


def _undone_edits(session: Session, store: Any, crowd: Crowd) -> Iterator[str]:
    rows = session.execute(
        sa.select(Customer.id, Customer.name, Customer.primary_email, Payer.stripe_customer_id).join(Payer)
    )
    for id_, name, email, stripe_id in rows:
        edited = crowd.operator.edited.get(id_, (name, email))
        theirs = store.customers.get(stripe_id) or {}
        at_stripe = (theirs.get("name"), theirs.get("email"))
        if not edited == (name, email) == at_stripe:
            yield f"{id_}: edited as {edited}, is {(name, email)} here and {at_stripe} at Stripe"


def _has_saved(store: Any, person: NetworkPerson) -> bool:
    intent = store.setup_intents[store.checkout_sessions[person.session_id]["setup_intent"]]
    return bool(intent["status"] == "succeeded")
