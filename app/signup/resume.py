"""Going on where it was left: the open page, else a new one."""

from datetime import timedelta

from sqlalchemy.orm import Session

from app import apps, checkout, customers, payers, sync
from app.core import db
from app.core.config import settings
from app.core.db import utcnow
from app.core.errors import Conflict
from app.customers import NewCustomer
from app.gateway import PageOptions
from app.payers import Payer, PaymentStatus, payment_status
from app.signup.places import name_in_url
from app.web.urls import external

TRIES = 4  # a concurrent twin of this very request may win once at each step
JUST_NOW = timedelta(seconds=5)  # a double click; later the page may be done with, and Stripe is asked
DONE = {PaymentStatus.SAVED, PaymentStatus.PROCESSING}


class NothingToPay(Exception):
    """No page needs to be opened: the state of this customer is to be shown instead."""

    def __init__(self, customer_id: str) -> None:
        super().__init__(customer_id)
        self.customer_id = customer_id


def resume(session: Session, app: apps.App, customer_id: str, *, another: bool = False) -> str:
    """The URL of the page that a customer may go on with: the open one, else a new one. Commits.

    It does for whoever has no Stripe customer yet, or none any more, and for whose card expires or has
    expired. With `another`, it does for somebody with a good method, too; the policy decides which one is
    the default then. Raises NothingToPay when a good method is saved or on its way, PreconditionFailed for a
    deleted customer, Conflict when others are quicker all the time, and what the gateway raises.
    """
    for _ in range(TRIES):
        payer, page, number = _where_it_stands(session, app, customer_id)
        if payer is not None and (page is None or utcnow() - page.created_at > JUST_NOW):
            sync.refresh(session, payer.id)
            payer, page, number = _where_it_stands(session, app, customer_id)
        if not another and payment_status(payer, page, utcnow()) in DONE:
            raise NothingToPay(customer_id)
        order = order_for(customers.details_of(customers.get(session, customer_id)), app, number=number)
        db.end_read(session)
        if payer and page and page.url and page.status == "open" and page.expires_at > utcnow():
            if page.currency == order.page.currency:
                return page.url
            checkout.close(payer, page)
        try:
            opened = checkout.start(session, app, order, actor="visitor").session
            session.commit()
        except Conflict:
            session.rollback()
        else:
            return url_of(opened)
    raise Conflict("A payment page is being opened already. Try again in a moment.")


def order_for(wanted: NewCustomer, app: apps.App, *, number: int) -> checkout.Order:
    """The order for one customer's page, the how-many-eth; it leads back to the state of that customer."""
    return checkout.Order(
        customer=wanted,
        page=PageOptions(
            currency=wanted.currency or settings().default_currency,
            success_url=external("signup.done", customer=wanted.id, app=name_in_url(app)),
            cancel_url=external("signup.cancelled", customer=wanted.id, app=name_in_url(app)),
        ),
        key=str(number),
    )


def url_of(page: checkout.CheckoutSession) -> str:
    """Where a page is; those that we open ourselves are never embedded ones."""
    assert page.url is not None
    return page.url


def _where_it_stands(
    session: Session, app: apps.App, customer_id: str
) -> tuple[Payer | None, checkout.CheckoutSession | None, int]:
    """The payer, its newest page, and how many pages it had. Ends the reading.

    The pages of a Stripe customer that was deleted are as good as none.
    """
    # First of all: whatever a twin stores meanwhile, the number is still the one that the twin used.
    number = checkout.count(session, app.id, customer_id)
    payer = payers.of_customer(session, app.id, customer_id)
    page = checkout.latest(session, payer.id) if payer is not None and payer.gone_at is None else None
    db.end_read(session)
    return payer, page, number
