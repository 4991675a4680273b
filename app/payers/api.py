"""The Stripe side of customers for programs, and what changes it: a customer's new details, or its end."""

from flask import g
from sqlalchemy.orm import Session

from app import apps, customers, db
from app.errors import Invalid
from app.gateway import StripeRefused
from app.payers import actions, queries
from app.payers.binding import Binding, bind
from app.payers.contact import replace_customer
from app.payers.schemas import (
    CreateStripeCustomerPortalSessionParams,
    CustomerAnswer,
    CustomerAppDataListQuery,
    CustomerAppDataPaginatedResponse,
    CustomerBody,
    StripeCustomerAppData,
    StripeCustomerAppDataBase,
    StripeCustomerAppDataCreateOrUpdateItem,
    StripeCustomerPortalSession,
)
from app.web.api import Api

api = Api("payers", __name__, tag="Customers")
apps_api = Api("payers_apps", __name__, tag="Apps")

BINDING = {"stripeCustomerId": "cus_NffrFeUfNV2Hib"}
POINTERS = {"configuration": "/configurationId", "locale": "/locale", "return_url": "/returnUrl"}


@api.operation(
    "PUT",
    "/customers/<segment:customerIdOrKey>",
    id="updateCustomer",
    scope="write",
    body=CustomerBody,
    answers=CustomerAnswer,
    errors=(404, 409, 412),
)
def replace(customerIdOrKey: str, body: CustomerBody) -> CustomerAnswer:  # noqa: N803
    """Replace a customer's details.

    All of them: what is left out is cleared. A new name or email goes to Stripe right after.
    """
    session = db.session()
    db.start_write(session)
    customer = _customer(session, customerIdOrKey)
    replace_customer(session, customer, body.wanted(customer.id), actor=g.actor)
    return CustomerAnswer.of(customer)


@api.operation(
    "DELETE",
    "/customers/<segment:customerIdOrKey>",
    id="deleteCustomer",
    scope="write",
    status=204,
    errors=(404, 412),
)
def delete(customerIdOrKey: str) -> None:  # noqa: N803 (OpenMeter's name, here and below)
    """Delete a customer.

    Its key and subject keys become free. It is still found by its id. Its Stripe customer stays at Stripe.
    """
    session = db.session()
    db.start_write(session)
    customer = customers.by_id_or_key(session, customerIdOrKey)
    actions.delete_customer(session, customer, actor=g.actor)


@api.operation(
    "GET",
    "/customers/<segment:customerIdOrKey>/apps",
    id="listCustomerAppData",
    scope="read",
    query=CustomerAppDataListQuery,
    answers=CustomerAppDataPaginatedResponse,
    errors=(404, 412),
)
def list_app_data(customerIdOrKey: str, query: CustomerAppDataListQuery) -> CustomerAppDataPaginatedResponse:  # noqa: N803
    """List what the apps know of a customer."""
    session = db.session()
    customer = _customer(session, customerIdOrKey)
    found = queries.all_of_customer(session, customer.id) if query.type in {None, "stripe"} else []
    return CustomerAppDataPaginatedResponse(
        items=[StripeCustomerAppData.of(payer) for payer in query.of(found)],
        page=query.page,
        page_size=query.page_size,
        total_count=len(found),
    )


@api.operation(
    "PUT",
    "/customers/<segment:customerIdOrKey>/apps",
    id="upsertCustomerAppData",
    scope="write",
    body=list[StripeCustomerAppDataCreateOrUpdateItem],
    answers=list[StripeCustomerAppData],
    errors=(404, 412),
    examples={"default app": [{"type": "stripe"} | BINDING]},
)
def replace_app_data(
    customerIdOrKey: str,  # noqa: N803
    body: list[StripeCustomerAppDataCreateOrUpdateItem],
) -> list[StripeCustomerAppData]:
    """Bind a customer to Stripe customers, each in its app.

    All of them or none. Apps that are left out stay as they are.
    """
    session = db.session()
    customer = _customer(session, customerIdOrKey)
    wanted = [
        _binding(item, apps.find(session, item.id) if item.id else queries.default_app(session))
        for item in body
    ]
    payers = bind(session, customer, wanted, actor=g.actor)
    return [StripeCustomerAppData.of(payer) for payer in payers]


@api.operation(
    "DELETE",
    "/customers/<segment:customerIdOrKey>/apps/<segment:appId>",
    id="deleteCustomerAppData",
    scope="write",
    status=204,
    errors=(404, 412),
)
def delete_app_data(customerIdOrKey: str, appId: str) -> None:  # noqa: N803
    """Forget which Stripe customer a customer has in an app.

    It stays at Stripe.
    """
    session, app_id = db.session(), apps.read_app_id(appId, "appId")
    db.start_write(session)
    customer = _customer(session, customerIdOrKey)
    app = apps.by_id(session, app_id)
    actions.unbind(session, app.id, customer, actor=g.actor)


@api.operation(
    "GET",
    "/customers/<segment:customerIdOrKey>/stripe",
    id="getCustomerStripeAppData",
    scope="read",
    answers=StripeCustomerAppData,
    errors=(404, 412),
)
def get_stripe_data(customerIdOrKey: str) -> StripeCustomerAppData:  # noqa: N803
    """Get the Stripe customer and the default payment method of a customer.

    In the default app; what Stripe said last, without asking it anew.
    """
    session = db.session()
    customer = _customer(session, customerIdOrKey)
    return StripeCustomerAppData.of(queries.in_default_app(session, customer.id))


@api.operation(
    "PUT",
    "/customers/<segment:customerIdOrKey>/stripe",
    id="upsertCustomerStripeAppData",
    scope="write",
    body=StripeCustomerAppDataBase,
    answers=StripeCustomerAppData,
    errors=(404, 412),
    examples={"Stripe customer": BINDING},
)
def replace_stripe_data(customerIdOrKey: str, body: StripeCustomerAppDataBase) -> StripeCustomerAppData:  # noqa: N803
    """Bind a customer to a Stripe customer in the default app."""
    session = db.session()
    customer = _customer(session, customerIdOrKey)
    binding = _binding(body, queries.default_app(session))
    [payer] = bind(session, customer, [binding], actor=g.actor)
    return StripeCustomerAppData.of(payer)


@api.operation(
    "POST",
    "/customers/<segment:customerIdOrKey>/stripe/portal",
    id="createCustomerStripePortalSession",
    scope="write",
    status=201,
    body=CreateStripeCustomerPortalSessionParams,
    answers=StripeCustomerPortalSession,
    errors=(404, 409, 412),
    examples={"as the account has it": {}, "in German": {"locale": "de"}},
)
def open_portal(
    customerIdOrKey: str,  # noqa: N803
    body: CreateStripeCustomerPortalSessionParams,
) -> StripeCustomerPortalSession:
    """Open Stripe's customer portal for a customer.

    Send the customer to `url` at once: it is good for a few minutes.
    """
    session = db.session()
    customer = _customer(session, customerIdOrKey)
    payer = queries.in_default_app(session, customer.id)
    try:
        opened = actions.open_portal(
            session,
            payer,
            configuration_id=body.configuration_id,
            locale=body.locale,
            return_url=body.return_url,
        )
    except StripeRefused as error:
        fields = {POINTERS.get(name, name): said for name, said in error.fields.items()}
        raise Invalid(error.detail, fields=fields) from error
    return StripeCustomerPortalSession.of(opened)


@apps_api.operation(
    "DELETE",
    "/apps/<segment:id>",
    id="uninstallApp",
    scope="admin",
    status=204,
    errors=(404, 412),
)
def uninstall(id: str) -> None:  # noqa: A002
    """Uninstall an app.

    Our webhook endpoint at Stripe is removed and the secrets are forgotten; customers lose their Stripe
    customers in this app, which stay at Stripe.
    """
    session = db.session()
    actions.uninstall(session, apps.read_app_id(id, "id"), actor=g.actor)


def _customer(session: Session, id_or_key: str) -> customers.Customer:
    customer = customers.by_id_or_key(session, id_or_key)
    customers.refuse_deleted(customer)
    return customer


def _binding(wanted: StripeCustomerAppDataBase, app: apps.App) -> Binding:
    return Binding(
        app=app,
        stripe_customer_id=wanted.stripe_customer_id,
        method_id=wanted.stripe_default_payment_method_id,
    )
