"""Customers for programs."""

from flask import g

from app.api.blueprint import Api
from app.core import db
from app.customers import actions, queries
from app.customers.schemas import (
    Customer,
    CustomerCreate,
    CustomerGetQuery,
    CustomerListQuery,
    CustomerPaginatedResponse,
)

api = Api("customers", __name__, tag="Customers")

EXAMPLES = {
    "by key and subject": {
        "name": "ACME, Inc.",
        "key": "my-database-id",
        "usageAttribution": {"subjectKeys": ["my-usage-event-subject"]},
    }
}


@api.operation(
    "POST", "/customers", id="createCustomer", scope="write", status=201, errors=(409,), examples=EXAMPLES
)
def create(body: CustomerCreate) -> Customer:
    """Create a customer.

    Its key and its subject keys must be nobody else's.
    """
    session = db.session()
    db.start_write(session)
    customer = actions.create(session, body.wanted(), actor=g.actor)
    return Customer.of(customer)


@api.operation("GET", "/customers", id="listCustomers", scope="read")
def list_(query: CustomerListQuery) -> CustomerPaginatedResponse:
    """List customers, a page at a time.

    A customer must match all filters. Each text is part of the field's value, in any letter case.
    """
    if query.plan_key is not None:
        return CustomerPaginatedResponse.of(query, [], 0)
    wanted = queries.Filter(
        key=query.key,
        name=query.name,
        primary_email=query.primary_email,
        subject=query.subject,
        include_deleted=query.include_deleted == "true",
    )
    found, total = queries.page(
        db.session(),
        wanted,
        order_by=query.order_by,
        descending=query.order == "DESC",
        page=query.page,
        size=query.page_size,
    )
    return CustomerPaginatedResponse.of(query, [Customer.of(row) for row in found], total)


@api.operation("GET", "/customers/<segment:customerIdOrKey>", id="getCustomer", scope="read", errors=(404,))
def get(customerIdOrKey: str, query: CustomerGetQuery) -> Customer:  # noqa: N803, ARG001 (OpenMeter's names)
    """Get a customer by id or key.

    The id wins. A deleted customer is found by its id only.
    """
    return Customer.of(queries.by_id_or_key(db.session(), customerIdOrKey))
