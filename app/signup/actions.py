"""From details to Stripe's page, however often it is asked."""

import secrets
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import apps, checkout, customers, payers, sync
from app.core import db
from app.core.errors import Conflict, Invalid, NotFound
from app.customers import NewCustomer
from app.signup import queries
from app.signup.forms import Form
from app.signup.models import Signup, browser_hash
from app.signup.resume import TRIES, order_for, resume, url_of


class FormSpent(NotFound):
    """The form made a customer that is another browser's, of which nothing is told, or that was deleted."""


@dataclass(frozen=True)
class Way:
    """Where somebody goes on, and whether this very call made or changed something for it."""

    url: str
    is_new: bool


def submit(session: Session, app: apps.App, wanted: NewCustomer, *, form: Form, browser: str) -> Way:
    """Sign somebody up and give the way to Stripe's page. Commits.

    One form makes one customer, whatever happens: a repeat finds its page again, and a corrected one
    corrects its customer. So does another form of the same browser with the very same details, be it in a
    second tab at the same moment, or opened because of the first one nothing was heard.

    Raises CustomerTaken when somebody else holds a name, FormSpent when the form can't be used any
    more, NothingToPay when all is done, and what the gateway raises. Nothing is stored then, or at most a
    correction.
    """
    for _ in range(TRIES):
        own = queries.of_form(session, form.id)
        alike = _same_without_names(session, wanted, browser) if own is None else None
        if alike is not None:
            session.refresh(app)
            return Way(resume(session, app, alike), is_new=False)
        if own is not None and own.browser_hash != browser_hash(browser):
            raise FormSpent("This form belongs to another browser.")
        try:
            if own is not None:
                return _correct(session, app, queries.with_names(session, wanted, own.customer_id))
            new_id = new_customer_id(session, wanted, form, browser)
            new = queries.with_names(session, wanted, new_id)
            page = checkout.start(session, app, order_for(new, app, number=0), actor="visitor").session
            session.add(Signup(customer_id=new.id, browser_hash=browser_hash(browser), form_id=form.id))
            session.commit()
        except customers.CustomerTaken as taken:
            session.rollback()
            if own is not None:
                raise
            twin = _twin(session, wanted, taken, browser)
            session.refresh(app)
            return Way(resume(session, app, twin), is_new=False)
        except (Conflict, IntegrityError):  # our twin was quicker: look again
            session.rollback()
        else:
            return Way(url_of(page), is_new=True)
        session.refresh(app)  # a rollback forgets it, and it must be known before Stripe is asked
    raise Conflict("This is being set up already. Try again in a moment.")


def forget_browser(session: Session, nonce: str | None) -> None:
    """Let nobody see anything by a browser's nonce, even who kept a copy of its cookie. Flushes.

    Its forms stay used up: the rows live on under a hash that no browser has.
    """
    if nonce is None:
        return
    session.execute(
        sa.update(Signup)
        .where(Signup.browser_hash == browser_hash(nonce))
        .values(browser_hash=browser_hash(secrets.token_urlsafe(24)))
        .execution_options(synchronize_session=False)
    )


def new_customer_id(session: Session, wanted: NewCustomer, form: Form, browser: str) -> str:
    """The id of the customer that a form is about to make, if it is sent with these details.

    It is the one for which a try before may have made a Stripe customer. For the first try it is made of
    the names and of the browser, so that another form of this browser comes to the same.
    """
    if form.customer_id is not None and session.get(customers.Customer, form.customer_id) is None:
        return form.customer_id
    nameless = () if wanted.key or wanted.subject_keys else (wanted.name, wanted.primary_email or "")
    return customers.settled_id(session, wanted, browser_hash(browser), *nameless)


def _same_without_names(session: Session, wanted: NewCustomer, browser: str) -> str | None:
    """The customer of this browser's own sign-up with the very same details, when these have no name in them.

    Nothing else would tell that another form, of a second tab say, asks for the same customer.
    """
    if wanted.key or wanted.subject_keys:
        return None
    own = queries.customers_of(session, browser)
    return next((c.id for c in own if customers.is_same(c, queries.with_names(session, wanted, c.id))), None)


def _correct(session: Session, app: apps.App, wanted: NewCustomer) -> Way:
    """The same form once more: take over what was changed in it, then go on."""
    customer = session.get(customers.Customer, wanted.id)
    assert customer is not None  # its sign-up is there
    _refuse_deleted(customer)
    wanted = customers.with_adopted(customer, wanted)
    is_changed = not customers.is_same(customer, wanted)
    if is_changed:
        db.end_read(session)
        db.start_write(session)
        session.refresh(customer, with_for_update=True)
        _refuse_deleted(customer)
        payers.replace_customer(session, customer, wanted, actor="visitor")
        session.commit()
        _tell_stripe(session, app, wanted.id)
        session.refresh(customer)
        _refuse_deleted(customer)
    return Way(resume(session, app, wanted.id), is_new=is_changed)


def _refuse_deleted(customer: customers.Customer) -> None:
    if customer.deleted_at is not None:
        raise FormSpent("The customer of this form was deleted.")


def _tell_stripe(session: Session, app: apps.App, customer_id: str) -> None:
    """Have Stripe take the stored name and email now. If it gives no answer, it is told later.

    Raises Invalid, with the field, when Stripe refuses them.
    """
    payer = payers.of_customer(session, app.id, customer_id)
    db.end_read(session)
    if payer is None or not payer.is_contact_due:
        return
    sync.refresh(session, payer.id)
    refusal = payers.fresh(session, payer.id).contact_refusal
    db.end_read(session)
    if refusal is not None:
        raise Invalid(refusal, fields={"email": refusal})


def _twin(session: Session, wanted: NewCustomer, taken: customers.CustomerTaken, browser: str) -> str:
    """The customer of this browser's own sign-up, if that has the very same details; else raise.

    So a second tab that sends the same form goes on with the first one's customer, while somebody who
    signs up another company under a name of the first is told, and overwrites nothing.
    """
    for holder in taken.holders:
        own = session.get(customers.Customer, holder) if queries.signed_up(session, browser, holder) else None
        if own is not None and customers.is_same(own, wanted):
            return holder
    raise taken
