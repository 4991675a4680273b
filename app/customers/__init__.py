"""Who can be billed."""

from app.customers.actions import (
    CustomerTaken,
    NewCustomer,
    create,
    delete,
    details_of,
    is_same,
    match,
    refuse_deleted,
    refuse_taken,
    replace,
)
from app.customers.models import Customer
from app.customers.queries import by_id_or_key, by_key, get

__all__ = [
    "Customer",
    "CustomerTaken",
    "NewCustomer",
    "by_id_or_key",
    "by_key",
    "create",
    "delete",
    "details_of",
    "get",
    "is_same",
    "match",
    "refuse_deleted",
    "refuse_taken",
    "replace",
]
