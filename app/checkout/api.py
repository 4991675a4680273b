"""One call from a customer to the page on which it saves a payment method."""

from collections.abc import Mapping

import structlog
from flask import Response, after_this_request, g, request
from sqlalchemy.orm import Session

from app import apps, customers, payers
from app.api.blueprint import Api
from app.checkout.actions import Order, Raced, Started, start
from app.checkout.replaced import close_older
from app.checkout.schemas import (
    CheckoutOptions,
    CreateStripeCheckoutSessionRequest,
    CreateStripeCheckoutSessionResult,
    CustomerId,
    CustomerKey,
)
from app.core import db
from app.core.config import settings
from app.core.errors import AppError, Invalid
from app.customers import CustomerTaken, NewCustomer
from app.gateway import StripeRefused
from app.web.urls import external

api = Api("checkout", __name__, tag="Checkout")

log = structlog.get_logger("gangway.checkout")

TRIES = 5  # a concurrent twin of this very request may win once at each step

EXAMPLES = {
    "new customer": {
        "customer": {
            "name": "ACME, Inc.",
            "currency": "USD",
            "usageAttribution": {"subjectKeys": ["my-identifier"]},
        },
        "options": {"successURL": "https://example.com/success"},
    },
    "existing customer": {
        "customer": {"key": "my-database-id"},
        "options": {"successURL": "https://example.com/success", "currency": "USD"},
    },
}


@api.operation(
    "POST",
    "/stripe/checkout/sessions",
    id="createStripeCheckoutSession",
    scope="write",
    status=201,
    body=CreateStripeCheckoutSessionRequest,
    answers=CreateStripeCheckoutSessionResult,
    errors=(404, 409, 412),
    examples=EXAMPLES,
)
def create(body: CreateStripeCheckoutSessionRequest) -> CreateStripeCheckoutSessionResult:
    """Open a Stripe Checkout page in setup mode.

    The customer is named by id or by key, or given whole: then it is created, with its Stripe customer,
    unless the very same one is stored already. Send the payer to `url`. What was opened for the payer before
    and is still open expires at Stripe.
    """
    session = db.session()
    app = apps.find(session, body.app_id)
    key = request.headers.get("Idempotency-Key")
    wish = f"{g.token_id}-{key}" if key else db.new_id()
    started = _started(session, app, body, wish)
    _close_what_raced(started)
    return CreateStripeCheckoutSessionResult.of(started)


def _started(session: Session, app: apps.App, body: CreateStripeCheckoutSessionRequest, wish: str) -> Started:
    """Start; and when a twin of this request was quicker at some step, go on from where it has come."""
    for tries_left in reversed(range(TRIES)):
        wanted = _wanted(session, body)
        order = Order(
            customer=wanted,
            page=body.options.page(
                wanted.currency or settings().default_currency, own_return=_own_return(wanted.id)
            ),
            key=wish,
            stripe_customer_id=body.stripe_customer_id,
            replaces_open=True,
        )
        try:
            with apps.record_rejection(session, app):
                started = start(session, app, order, actor=g.actor)
        except (Raced, CustomerTaken) as error:
            session.rollback()
            is_twin = isinstance(error, Raced) or wanted.id in error.holders
            if not is_twin or not tries_left:
                raise
        except StripeRefused as error:
            raise Invalid(error.detail, fields=_pointers(error.fields)) from error
        else:
            return started
    raise AssertionError


def _close_what_raced(started: Started) -> None:
    """Once this call is answered, close what a concurrent one has opened before it and could not be seen."""
    payer_id, session_id, closed = started.payer.id, started.session.id, started.closed

    @after_this_request
    def _close(response: Response) -> Response:
        session = db.session()
        try:
            close_older(session, payers.fresh(session, payer_id), session_id, closed=closed)
        except AppError as error:
            log.warning("older_session_not_closed", payer=payer_id, reason=error.detail)
        return response


def _own_return(customer_id: str) -> str:
    """Our page with the outcome. Stripe puts the session's id in, by which a browser may see that one."""
    return f"{external('signup.done', customer=customer_id)}&session={{CHECKOUT_SESSION_ID}}"


def _pointers(fields: Mapping[str, str]) -> dict[str, str]:
    """Stripe's names of parameters, such as `success_url`, as pointers into the body."""
    options = {name: f"/options/{field.alias}" for name, field in CheckoutOptions.model_fields.items()}
    ours = options | {"email": "/customer/primaryEmail", "name": "/customer/name", "customer": "/customer"}
    return {ours.get(name.partition("[")[0], "/options"): said for name, said in fields.items()}


def _wanted(session: Session, body: CreateStripeCheckoutSessionRequest) -> NewCustomer:
    match body.customer:
        case CustomerId(id=customer_id):
            return customers.details_of(customers.get(session, customer_id))
        case CustomerKey(key=key):
            return customers.details_of(customers.by_key(session, key))
        case given:
            return customers.match(session, given.wanted())
