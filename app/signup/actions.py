"""From details to Stripe's page, however often it is asked."""

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import apps, checkout, customers, db, payers, sync
from app.config import settings
from app.customers import NewCustomer
from app.db import utcnow
from app.errors import Conflict, NotFound
from app.gateway import PageOptions
from app.signup import queries
from app.signup.models import Signup, browser_hash
from app.web.urls import external

TRIES = 4  # a concurrent twin of this very request may win once at each step
JUST_NOW = timedelta(seconds=5)  # a double click; later the page may be done with, and Stripe is asked


class OtherBrowser(NotFound):
    """The form belongs to another browser's sign-up, about which nothing is told."""


class NothingToPay(Exception):
    """No page needs to be opened: the state of this customer is to be shown instead."""

    def __init__(self, customer_id: str) -> None:
        super().__init__(customer_id)
        self.customer_id = customer_id


@dataclass(frozen=True)
class Way:
    """Where somebody goes on, and whether this very call made or changed something for it."""

    url: str
    is_new: bool


def submit(session: Session, app: apps.App, wanted: NewCustomer, *, browser: str) -> Way:
    """Sign somebody up and give the way to Stripe's page. Commits.

    The wanted id comes from the form, so one form makes one customer, whatever happens: a
    repeat finds its page again, and a corrected one corrects its customer. So does a second tab of the
    same browser with the very same details.

    Raises CustomerTaken when somebody else holds a name, NotFound when the form belongs to another
    browser, NothingToPay when all is done, and what the gateway raises. Nothing is stored then.
    """
    for _ in range(TRIES):
        own = session.get(Signup, wanted.id)
        if own is not None and own.browser_hash != browser_hash(browser):
            raise OtherBrowser("This form belongs to another browser.")
        try:
            if own is not None:
                return _correct(session, app, wanted)
            page = checkout.start(session, app, order_for(wanted, number=0), actor="visitor").session
            session.add(Signup(customer_id=wanted.id, browser_hash=browser_hash(browser)))
            session.commit()
        except customers.CustomerTaken as taken:
            session.rollback()
            if own is not None:
                raise
            wanted = _twin(session, wanted, taken, browser)
        except (Conflict, IntegrityError):  # our twin was quicker: look again
            session.rollback()
        else:
            return Way(url_of(page), is_new=True)
    raise Conflict("This is being set up already. Try again in a moment.")


def resume(session: Session, app: apps.App, customer_id: str) -> str:
    """The URL of the page that a customer may go on with: the open one, else a new one. Commits.

    Raises NothingToPay when a method is saved or on its way, or when Stripe no longer has the customer.
    """
    for _ in range(TRIES):
        payer = payers.of_customer(session, app.id, customer_id)
        if payer is None:
            raise NotFound("Nothing was begun for this customer.")
        number = checkout.count(session, payer.id)  # before the page: a newer one then has a higher number
        page = checkout.latest(session, payer.id)
        db.end_read(session)
        if page is None or utcnow() - page.created_at > JUST_NOW:
            sync.refresh(session, payer.id)
            payer = payers.fresh(session, payer.id)
            number = checkout.count(session, payer.id)
            page = checkout.latest(session, payer.id)
            db.end_read(session)
        if (
            payer.gone_at
            or payer.default_method
            or (page and page.status == "complete" and not page.is_final)
        ):
            raise NothingToPay(customer_id)
        wanted = customers.details_of(payer.customer)
        order = order_for(wanted, number=number)
        if page and page.url and page.status == "open" and page.expires_at > utcnow():
            if page.currency == order.page.currency:
                return page.url
            checkout.close(payer, page)
        try:
            opened = checkout.start(session, app, order, actor="visitor").session
            session.commit()
        except Conflict:
            continue
        return url_of(opened)
    raise Conflict("A payment page is being opened already. Try again in a moment.")


def order_for(wanted: NewCustomer, *, number: int) -> checkout.Order:
    """The order for one customer's page, the how-many-eth; it leads back to the state of that customer."""
    return checkout.Order(
        customer=wanted,
        page=PageOptions(
            currency=wanted.currency or settings().default_currency,
            success_url=external("signup.done", customer=wanted.id),
            cancel_url=external("signup.cancelled", customer=wanted.id),
        ),
        key=str(number),
    )


def url_of(page: checkout.CheckoutSession) -> str:
    """Where a page is; those that we open ourselves are never embedded ones."""
    assert page.url is not None
    return page.url


def _correct(session: Session, app: apps.App, wanted: NewCustomer) -> Way:
    """The same form once more: take over what was changed in it, then go on."""
    payer = payers.of_customer(session, app.id, wanted.id)
    if payer is None:
        raise NotFound("Nothing was begun for this customer.")
    is_changed = not customers.is_same(payer.customer, wanted)
    if is_changed:
        customers.refuse_taken(session, wanted)
        db.end_read(session)
        apps.connect(app).update_customer(
            payer.stripe_customer_id, name=wanted.name, email=wanted.primary_email
        )
        db.start_write(session)
        customer = payers.fresh(session, payer.id).customer
        customers.replace(session, customer, wanted, actor="visitor")
        session.commit()
    if payer.default_method is not None:
        raise NothingToPay(wanted.id)
    return Way(resume(session, app, wanted.id), is_new=is_changed)


def _twin(session: Session, wanted: NewCustomer, taken: customers.CustomerTaken, browser: str) -> NewCustomer:
    """The same wish for this browser's own sign-up, if that has the very same details; else raise.

    So a second tab that sends the same form goes on with the first one's customer, while somebody who
    signs up another company under a name of the first is told, and overwrites nothing.
    """
    for holder in taken.holders:
        own = (
            session.get(customers.Customer, holder) if queries.of_browser(session, browser, holder) else None
        )
        if own is not None and customers.is_same(own, wanted):
            return replace(wanted, id=holder)
    raise taken
