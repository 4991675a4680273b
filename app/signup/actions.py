"""From details to Stripe's page, however often it is asked."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy.orm import Session

from app import apps, checkout, customers, db, payers, sync
from app.db import utcnow
from app.errors import Conflict, NotFound
from app.signup import queries
from app.signup.models import Signup, browser_hash

TRIES = 4  # a concurrent twin of this very request may win once at each step
JUST_NOW = timedelta(minutes=1)


class NothingToPay(Exception):
    """No page needs to be opened: the state of this customer is to be shown instead."""


def submit(session: Session, app: apps.App, order: checkout.Order, *, browser: str) -> str:
    """Sign somebody up and give the URL of Stripe's page. Commits.

    The order's customer id comes from the form, so one form makes one customer, whatever happens: a
    repeat finds its page again, a corrected one corrects its customer, and so does a second tab of the
    same browser that takes the same names.

    Raises CustomerTaken when somebody else holds a name, NotFound when the form belongs to another
    browser, NothingToPay when all is done, and what the gateway raises. Nothing is stored then.
    """
    for _ in range(TRIES):
        own = session.get(Signup, order.customer.id)
        if own is not None and own.browser_hash != browser_hash(browser):
            raise NotFound("This form belongs to another browser.")
        try:
            if own is not None:
                return _correct(session, app, order)
            page = checkout.start(session, app, order, actor="visitor")
            session.add(Signup(customer_id=order.customer.id, browser_hash=browser_hash(browser)))
            session.commit()
        except customers.CustomerTaken as taken:
            order = _as_correction(session, order, taken, browser)
        except Conflict:  # our twin was quicker: look again
            continue
        else:
            return page.url
    raise Conflict("This is being set up already. Try again in a moment.")


def resume(session: Session, app: apps.App, order: checkout.Order) -> str:
    """The URL of the page that a customer may go on with: the open one, else a new one. Commits.

    Raises NothingToPay when a method is saved or on its way, or when Stripe no longer has the customer.
    """
    for _ in range(TRIES):
        payer = payers.of_customer(session, app.id, order.customer.id)
        if payer is None:
            raise NotFound("Nothing was begun for this customer.")
        page = checkout.latest(session, payer.id)
        db.end_read(session)
        if page is None or utcnow() - page.created_at > JUST_NOW:
            sync.refresh(session, payer.id)
            payer = payers.fresh(session, payer.id)
            page = checkout.latest(session, payer.id)
            db.end_read(session)
        if (
            payer.gone_at
            or payer.default_method
            or (page and page.status == "complete" and not page.is_final)
        ):
            raise NothingToPay
        if page and page.status == "open" and page.expires_at > utcnow():
            if page.currency == order.currency:
                return page.url
            checkout.close(payer, page)
        try:
            opened = checkout.reopen(session, payer, order, actor="visitor")
            session.commit()
        except Conflict:
            continue
        return opened.url
    raise Conflict("A payment page is being opened already. Try again in a moment.")


def _correct(session: Session, app: apps.App, order: checkout.Order) -> str:
    """The same form once more: take over what was changed in it, then go on."""
    wanted = order.customer
    payer = payers.of_customer(session, app.id, wanted.id)
    if payer is None:
        raise NotFound("Nothing was begun for this customer.")
    if payer.default_method is not None:
        raise NothingToPay
    if not customers.is_same(payer.customer, wanted):
        customers.refuse_taken(session, wanted)
        db.end_read(session)
        apps.connect(app).update_customer(
            payer.stripe_customer_id, name=wanted.name, email=wanted.primary_email
        )
        db.start_write(session)
        customer = payers.fresh(session, payer.id).customer
        customers.replace(session, customer, wanted, actor="visitor")
        session.commit()
    return resume(session, app, order)


def _as_correction(
    session: Session, order: checkout.Order, taken: customers.CustomerTaken, browser: str
) -> checkout.Order:
    """If this browser's own unfinished sign-up holds the names, the order is meant for that one."""
    session.rollback()
    own = [holder for holder in taken.holders if queries.of_browser(session, browser, holder)]
    if len(taken.holders) != 1 or not own:
        raise taken
    return replace(order, customer=replace(order.customer, id=own[0]))
