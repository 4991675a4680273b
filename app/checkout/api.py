"""One call from a customer's details to the Checkout Session that saves a payment method."""

from collections.abc import Mapping

from flask import g, request
from sqlalchemy.orm import Session

from app import apps, customers, payers, portal
from app.api.blueprint import Api
from app.checkout.actions import Order, start
from app.checkout.close import close_older
from app.checkout.schemas import (
    CheckoutOptions,
    CreateStripeCheckoutSessionRequest,
    CreateStripeCheckoutSessionResult,
    CustomerId,
    CustomerKey,
)
from app.core import db
from app.core.errors import Invalid
from app.gateway import StripeRefused
from app.web.addresses.urls import external

api = Api("checkout", __name__, tag="Checkout")

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
    errors=(404, 409, 412),
    examples=EXAMPLES,
)
def create(body: CreateStripeCheckoutSessionRequest) -> CreateStripeCheckoutSessionResult:
    """Open a Stripe Checkout Session in setup mode.

    Name the customer by id or by key, or give all of its details. Then it is created, with its Stripe
    customer, unless a customer with the same details exists. Send the customer to `url`. The customer's older
    open sessions expire at Stripe.
    """
    session = db.session()
    app = apps.find(session, body.app_id)
    if body.stripe_customer_id is not None:
        with apps.record_rejection(session, app):
            payers.refuse_missing(session, app, body.stripe_customer_id)
    db.start_write(session)
    key = request.headers.get("Idempotency-Key")
    customer = _customer(session, body)
    order = Order(
        customer_id=customer.id,
        options=body.options.checkout_options(
            customer.currency or portal.profile().form.default_currency, own_return=_own_return(customer.id)
        ),
        idempotency_key=f"{g.token_id}-{key}" if key else None,
        stripe_customer_id=body.stripe_customer_id,
    )
    try:
        with apps.record_rejection(session, app):
            started = start(session, app, order, actor=g.actor)
            close_older(session, started.payer, started.session)
    except StripeRefused as error:
        raise Invalid(error.detail, fields=_pointers(error.fields)) from error
    return CreateStripeCheckoutSessionResult.of(started)


def _customer(session: Session, body: CreateStripeCheckoutSessionRequest) -> customers.Customer:
    match body.customer:
        case CustomerId(id=customer_id):
            return customers.get(session, customer_id)
        case CustomerKey(key=key):
            return customers.by_key(session, key)
        case given:
            return customers.create_or_match(session, given.wanted(), actor=g.actor)


def _own_return(customer_id: str) -> str:
    """Return our page with the outcome. Stripe adds the session's id: a browser may see that session."""
    return f"{external('onboarding.done', customer=customer_id)}&session={{CHECKOUT_SESSION_ID}}"


def _pointers(fields: Mapping[str, str]) -> dict[str, str]:
    """Stripe's names of parameters, such as `success_url`, as pointers into the body."""
    options = {name: f"/options/{field.alias}" for name, field in CheckoutOptions.model_fields.items()}
    ours = options | {"email": "/customer/primaryEmail", "name": "/customer/name", "customer": "/customer"}
    return {ours.get(name.partition("[")[0], "/options"): said for name, said in fields.items()}
