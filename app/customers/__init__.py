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
    restore,
    settled_id,
)
from app.customers.listing import MANY, Cut, Listed, Row, Wanted, batches, count, listed
from app.customers.models import Customer
from app.customers.queries import by_id_or_key, by_key, get
from app.customers.search import fits, search_text

__all__ = [
    "MANY",
    "Customer",
    "CustomerTaken",
    "Cut",
    "Listed",
    "NewCustomer",
    "Row",
    "Wanted",
    "batches",
    "by_id_or_key",
    "by_key",
    "count",
    "create",
    "delete",
    "details_of",
    "fits",
    "get",
    "is_same",
    "listed",
    "match",
    "refuse_deleted",
    "refuse_taken",
    "replace",
    "restore",
    "search_text",
    "settled_id",
]
