"""Storing who signs up, however often a form is sent."""

import hashlib
from collections.abc import Callable

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import apps, checkout, customers, payers, portal, sync
from app.core import db
from app.core.database import statements
from app.core.db import utcnow
from app.core.errors import Conflict, Invalid, NotFound
from app.core.values import frozen
from app.customers import Customer, CustomerTaken, NewCustomer
from app.onboarding import consents, handovers, payment, queries
from app.onboarding.browsers.visit import app_of_profile
from app.onboarding.form.details import merged, without_locked
from app.onboarding.handovers import Handover
from app.onboarding.models import BillingAccess, Consent, Signup, browser_hash, no_browser_hash
from app.web.languages import gettext

MAX_TRIES = 5  # each time a twin of this request was quicker, it has stored something to continue from


class FormAlreadyUsed(NotFound):
    """The form belongs to another browser, and we tell this one nothing; or its customer was deleted."""


class AlreadyCustomer(Exception):
    """The key of a hand-over belongs to a live customer: let the browser in, and make no second one."""

    def __init__(self, handover: Handover, customer: Customer) -> None:
        super().__init__(customer.id)
        self.handover = handover
        self.customer = customer


@frozen
class SignedUp:
    """Who signed up, and whether this very call stored something for them."""

    customer_id: str
    is_new: bool
    reserved: checkout.Reservation | None = None  # what this call reserved for a new customer


@frozen
class Terms:
    """On what terms somebody signs up."""

    handover: Handover | None
    consent: Consent | None
    needs_approval: bool


def sign_up(
    session: Session,
    wanted: NewCustomer,
    *,
    form_id: str,
    browser: str,
    check: Callable[[bool], None],
    terms: Terms,
) -> SignedUp:
    """Store a customer and its sign-up, and use up a single-use hand-over with them. Commits.

    The sign-up keeps the profile of this request.

    One form makes one customer: a repeat finds it, and a corrected form corrects it. So does another form of
    the same browser with exactly the same details, such as one in a second tab. Unique indexes decide.
    `check` gets whether the form is new, before anything is stored, and may raise. The evidence of a consent
    is stored with the customer, once for each version. So are the rows of its first order, if an app is
    installed and no operator has to approve.

    Raises CustomerTaken when somebody else holds a name, FormAlreadyUsed, AlreadyCustomer; HandoverRefused
    when another browser has used the hand-over up.
    """
    for _ in range(MAX_TRIES):
        db.start_write(session)
        own, app = queries.of_form_and_default_app(session, form_id)
        check(own is None)
        if own is not None:
            return _correct(session, own, wanted, browser, terms.consent)
        _refuse_second(session, terms.handover)
        try:
            signup = Signup(form_id=form_id, browser_hash=browser_hash(browser))
            return _create(session, wanted, signup, app, terms)
        except CustomerTaken as taken:
            if queries.of_form(session, form_id) is None:
                _refuse_second(session, terms.handover)
                return SignedUp(_twin(session, wanted, taken, browser), is_new=False)
        except IntegrityError:  # the same form, or the same details from this browser
            session.rollback()
            alike = _alike(session, wanted, browser)
            if alike is not None:
                return SignedUp(alike, is_new=False)
    raise Conflict(gettext("This is already being set up. Try again in a moment."))


def tell_stripe(session: Session, app: apps.App, customer_id: str) -> None:
    """Send Stripe corrected details now. If it gives no answer, the worker sends them later.

    Raises Invalid, with the field, when Stripe refuses them.
    """
    payer = payers.of_customer(session, app.id, customer_id)
    db.end_read(session)
    if payer is None or payer.stripe_customer_id is None or not payer.is_contact_due:
        return
    sync.refresh(session, payer.id)
    refusal = payer.contact_refusal
    if refusal is not None:
        field = "tax_id" if refusal.startswith(sync.TAX_ID_REFUSAL) else "email"
        raise Invalid(refusal, fields={field: refusal})


def forget_browser(session: Session, nonce: str | None) -> None:
    """Let nobody see anything by a browser's nonce, even with a copy of its cookie. Flushes.

    Its forms stay used: the rows live on under a hash that no browser has.
    """
    if nonce is None:
        return
    held = browser_hash(nonce)
    statements.update_all(session, Signup, Signup.browser_hash == held, browser_hash=no_browser_hash())
    statements.delete_all(session, BillingAccess, BillingAccess.browser_hash == held)


def _refuse_second(session: Session, handover: Handover | None) -> None:
    """Raise AlreadyCustomer when a live customer has the key of a hand-over."""
    customer = queries.of_handover(session, handover) if handover else None
    if handover is not None and customer is not None:
        raise AlreadyCustomer(handover, customer)


def _create(
    session: Session, wanted: NewCustomer, signup: Signup, app: apps.App | None, terms: Terms
) -> SignedUp:
    completed = queries.with_names(session, merged(wanted), wanted.id)
    customer = customers.create(session, completed, actor="visitor")
    handover = terms.handover
    if terms.needs_approval and handover is None:
        customer.approval = customers.WAITING
    if terms.consent is not None:
        consents.store(session, terms.consent, customer.id)
    signup.customer_id, signup.details_hash = customer.id, _details_hash(wanted)
    signup.profile = portal.current_slug()
    session.add(signup)
    if handover is not None:
        details = handover.details
        customer.locked = sorted(details.locked_fields) or None
        customer.locked_at = handover.made_at or utcnow()
        signup.return_url, signup.return_label = details.return_url, details.return_label
        session.flush()
        handovers.claim(session, handover, customer_id=customer.id, browser_hash=signup.browser_hash)
    reserved = None if customer.approval in customers.NOT_APPROVED else _reserve(session, app, customer)
    session.commit()
    return SignedUp(customer.id, is_new=True, reserved=reserved)


def _reserve(session: Session, default: apps.App | None, customer: Customer) -> checkout.Reservation | None:
    try:
        return payment.reserve(session, app_of_profile(session, default), customer)
    except NotFound:  # no app is installed
        return None


def _correct(
    session: Session, own: Signup, wanted: NewCustomer, browser: str, consent: Consent | None
) -> SignedUp:
    """Take over what was changed in a form that was sent before."""
    if own.browser_hash != browser_hash(browser):
        raise FormAlreadyUsed("This form belongs to another browser.")
    customer_id = own.customer_id
    customer = customers.for_change(session, customer_id)
    if customer.deleted_at is not None:
        raise FormAlreadyUsed("The customer of this form was deleted.")
    held = customers.details_of(customer)
    wanted = merged(without_locked(wanted, held, customer.locked or ()), held)
    wanted = customers.with_adopted(customer, queries.with_names(session, wanted, customer_id))
    if consent is not None:
        consents.store(session, consent, customer_id)
    is_changed = not customers.is_same(customer, wanted)
    if is_changed:
        payers.replace_customer(session, customer, wanted, actor="visitor")
    session.commit()
    return SignedUp(customer_id, is_new=is_changed)


def _twin(session: Session, wanted: NewCustomer, taken: CustomerTaken, browser: str) -> str:
    """Find this browser's own customer that holds the names and has exactly the same details, else raise.

    So a second tab continues with the first one's customer. Somebody who signs up another company under a
    name of the first gets an error, and overwrites nothing.
    """
    for holder in taken.holders:
        is_own = queries.signed_up(session, browser, holder) is not None
        own = session.get(Customer, holder) if is_own else None
        if own is not None and customers.is_same(own, merged(wanted, customers.details_of(own))):
            return holder
    raise taken


def _alike(session: Session, wanted: NewCustomer, browser: str) -> str | None:
    """Find this browser's customer with exactly these details, where they hold no name.

    A customer that was deleted or changed since gives the details free. Commits.
    """
    found = queries.of_details(session, browser, _details_hash(wanted))
    if found is None:
        return None
    customer = session.get_one(Customer, found.customer_id, populate_existing=True)
    details = merged(wanted, customers.details_of(customer))
    is_same = customers.is_same(customer, queries.with_names(session, details, customer.id))
    if customer.deleted_at is None and is_same:
        return customer.id
    db.start_write(session)
    found.details_hash = None
    session.commit()
    return None


def _details_hash(wanted: NewCustomer) -> str | None:
    """Name the details of somebody without key and subject keys: no other unique index would tell twins.

    The same person may sign up with two profiles, which are two companies.
    """
    if wanted.key or wanted.subject_keys:
        return None
    profile = portal.current_slug()
    details = repr((wanted.name, wanted.primary_email, wanted.currency, *([profile] if profile else [])))
    return hashlib.sha256(details.encode()).hexdigest()
