"""The Stripe side of customers for programs, and what changes it: a customer's new details, or its end."""

from flask import Response, after_this_request, g
from sqlalchemy.orm import Session

from app import apps, customers
from app.api.blueprint import Api
from app.core import db
from app.core.errors import Invalid
from app.gateway import StripeRefused
from app.payers import actions, queries
from app.payers.binding import Binding, bind, unbind
from app.payers.contact import replace_customer
from app.payers.models import Payer
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
from app.payers.stale import check_stale

api = Api("payers", __name__, tag="Customers")
apps_api = Api("payers_apps", __name__, tag="Apps")

CHECKED_AT = "Gangway-Checked-At"
BINDING = {"stripeCustomerId": "cus_NffrFeUfNV2Hib"}
POINTERS = {"configuration": "/configurationId", "locale": "/locale", "return_url": "/returnUrl"}


@api.operation(
    "PUT", "/customers/<segment:customerIdOrKey>", id="updateCustomer", scope="write", errors=(404, 409, 412)
)
def replace(customerIdOrKey: str, body: CustomerBody) -> CustomerAnswer:  # noqa: N803
    """Replace a customer's details.

    All of them: what is left out is cleared, unless we have it from Stripe only. A new name, email, phone
    or address goes to Stripe right after.
    """
    session = db.session()
    db.start_write(session)
    customer = _customer(session, customerIdOrKey, lock=True)
    wanted = customers.with_adopted(customer, body.wanted(customer.id))
    replace_customer(session, customer, wanted, actor=g.actor)
    return CustomerAnswer.of(customer)


@api.operation(
    "DELETE", "/customers/<segment:customerIdOrKey>", id="deleteCustomer", scope="write", errors=(404, 412)
)
def delete(customerIdOrKey: str) -> None:  # noqa: N803 (OpenMeter's name, here and below)
    """Delete a customer.

    Its key and subject keys become free. It is still found by its id. Its Stripe customer stays at Stripe.
    """
    session = db.session()
    db.start_write(session)
    customer = customers.by_id_or_key(session, customerIdOrKey, lock=True)
    actions.delete_customer(session, customer, actor=g.actor)


@api.operation(
    "GET",
    "/customers/<segment:customerIdOrKey>/apps",
    id="listCustomerAppData",
    scope="read",
    errors=(404, 412),
    headers=(CHECKED_AT,),
)
def list_app_data(customerIdOrKey: str, query: CustomerAppDataListQuery) -> CustomerAppDataPaginatedResponse:  # noqa: N803
    """List what the apps know about a customer.

    What Stripe said last. When that is more than a minute old, it is asked again in the background.
    """
    session = db.session()
    customer = _customer(session, customerIdOrKey)
    every = queries.all_of_customer(session, customer.id) if query.type in {None, "stripe"} else []
    found = [payer for payer in every if payer.stripe_customer_id is not None]
    listed = query.of(found)
    items = [StripeCustomerAppData.of(payer) for payer in listed]
    answer = CustomerAppDataPaginatedResponse.of(query, items, len(found))
    _tell_age(session, listed)
    return answer


@api.operation(
    "PUT",
    "/customers/<segment:customerIdOrKey>/apps",
    id="upsertCustomerAppData",
    scope="write",
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
    errors=(404, 412),
)
def delete_app_data(customerIdOrKey: str, appId: str) -> None:  # noqa: N803
    """Forget which Stripe customer a customer has in an app.

    It stays at Stripe.
    """
    session, app_id = db.session(), apps.read_app_id(appId, "appId")
    db.start_write(session)
    customer = _customer(session, customerIdOrKey, lock=True)
    app = apps.by_id(session, app_id)
    unbind(session, app.id, customer, actor=g.actor)


@api.operation(
    "GET",
    "/customers/<segment:customerIdOrKey>/stripe",
    id="getCustomerStripeAppData",
    scope="read",
    errors=(404, 412),
    headers=(CHECKED_AT,),
)
def get_stripe_data(customerIdOrKey: str) -> StripeCustomerAppData:  # noqa: N803
    """Get the Stripe customer and the default payment method of a customer.

    In the default app; what Stripe said last. When that is more than a minute old, it is asked again in the
    background.
    """
    session = db.session()
    customer = _customer(session, customerIdOrKey)
    payer = queries.in_default_app(session, customer.id)
    answer = StripeCustomerAppData.of(payer)
    _tell_age(session, [payer])
    return answer


@api.operation(
    "PUT",
    "/customers/<segment:customerIdOrKey>/stripe",
    id="upsertCustomerStripeAppData",
    scope="write",
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


@apps_api.operation("DELETE", "/apps/<segment:id>", id="uninstallApp", scope="admin", errors=(404, 412))
def uninstall(id: str) -> None:  # noqa: A002
    """Uninstall an app.

    Our webhook endpoint at Stripe is removed and the secrets are forgotten; customers lose their Stripe
    customers in this app, which stay at Stripe.
    """
    session = db.session()
    actions.uninstall(session, apps.read_app_id(id, "id"), actor=g.actor)


def _tell_age(session: Session, read: list[Payer]) -> None:
    """Say in a header when Stripe was last asked about all of these, and have it asked again if need be."""
    times = [payer.verified_at for payer in read if payer.verified_at is not None]
    if times and len(times) == len(read):
        checked_at = min(times).isoformat(timespec="seconds").replace("+00:00", "Z")

        @after_this_request
        def _add(response: Response) -> Response:
            response.headers[CHECKED_AT] = checked_at
            return response

    check_stale(session, read, is_person=False)


def _customer(session: Session, id_or_key: str, *, lock: bool = False) -> customers.Customer:
    customer = customers.by_id_or_key(session, id_or_key, lock=lock)
    customers.refuse_deleted(customer)
    return customer


def _binding(wanted: StripeCustomerAppDataBase, app: apps.App) -> Binding:
    return Binding(
        app=app,
        stripe_customer_id=wanted.stripe_customer_id,
        method_id=wanted.stripe_default_payment_method_id,
    )
