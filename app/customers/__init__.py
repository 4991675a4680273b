"""Who can be billed."""

from app.customers.actions import CustomerTaken, NewCustomer, create, is_same, refuse_taken, replace
from app.customers.models import Customer

__all__ = ["Customer", "CustomerTaken", "NewCustomer", "create", "is_same", "refuse_taken", "replace"]
