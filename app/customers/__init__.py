"""Who can be billed."""

from app.customers.actions import (
    CustomerTaken,
    adopt,
    create,
    create_or_match,
    decide,
    delete,
    differences,
    is_same,
    lock,
    refuse_deleted,
    refuse_unapproved,
    replace,
    restore,
)
from app.customers.details import PHONE, InvoiceDetails, NewCustomer, details_of, with_adopted
from app.customers.former_email import on_email_change
from app.customers.models import DECLINED, NOT_APPROVED, WAITING, Customer
from app.customers.queries import (
    FOR_CHANGE,
    by_id,
    by_id_or_key,
    by_key,
    count_live,
    for_change,
    get,
    has_email,
    subject_keys_of,
)
from app.customers.search import fits

__all__ = [
    "DECLINED",
    "FOR_CHANGE",
    "NOT_APPROVED",
    "PHONE",
    "WAITING",
    "Customer",
    "CustomerTaken",
    "InvoiceDetails",
    "NewCustomer",
    "adopt",
    "by_id",
    "by_id_or_key",
    "by_key",
    "count_live",
    "create",
    "create_or_match",
    "decide",
    "delete",
    "details_of",
    "differences",
    "fits",
    "for_change",
    "get",
    "has_email",
    "is_same",
    "lock",
    "on_email_change",
    "refuse_deleted",
    "refuse_unapproved",
    "replace",
    "restore",
    "subject_keys_of",
    "with_adopted",
]
