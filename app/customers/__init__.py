"""Who can be billed."""

from app.customers.actions import (
    CustomerTaken,
    adopt,
    create,
    delete,
    differences,
    is_same,
    match,
    refuse_deleted,
    refuse_taken,
    replace,
    restore,
    settled_id,
)
from app.customers.details import NewCustomer, details_of, with_adopted
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
    "adopt",
    "batches",
    "by_id_or_key",
    "by_key",
    "count",
    "create",
    "delete",
    "details_of",
    "differences",
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
    "with_adopted",
]
