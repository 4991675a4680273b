"""Calls about customers, their payment methods and their mandates."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from app.core.reference.tax_ids import TaxNumber
from app.gateway.calls.common import Calls, ask, ask_all
from app.gateway.errors import StripeObjectMissing
from app.gateway.values.answers import Mandate, Method, StripeCustomer
from app.gateway.values.billing_details import BillingDetails
from app.gateway.values.default_changes import BY_POLICY, CHOICE
from app.gateway.values.listed import CustomerPage, ListedCustomer

DEFAULT = "invoice_settings.default_payment_method"
MAX_CLOCK_SKEW = timedelta(minutes=10)  # between Stripe's clock and ours


class CustomerCalls(Calls):
    """Customers, payment methods and mandates."""

    def create_customer(
        self, request: dict[str, Any], *, metadata: dict[str, str], idempotency_key: str
    ) -> str:
        """Create a Stripe customer by Stripe's parameters, with our metadata, and return its id, cus_….

        Its tax id takes `replace_tax_id`.
        Stripe keeps two customers with one email apart: only our row and the key prevent duplicates.
        Raises StripeRefused with Stripe's own words, StripeInProgress while the same request is under way,
        and StripeFailureStored when Stripe answers this key with an old failure.
        Source: https://docs.stripe.com/api/customers/create
        """
        params = request | {"metadata": request.get("metadata", {}) | metadata}
        key = {"idempotency_key": idempotency_key}
        return str(ask(self._v1.customers.create, params=params, options=key)["id"])

    def find_customer(self, metadata: dict[str, str], *, since: datetime) -> str | None:
        """Find the newest customer (cus_…) that has this metadata and was created since then.

        Unlike Stripe's search, its list never lags. Reads a hundred customers in each call.
        Source: https://docs.stripe.com/api/customers/list
        """
        created = {"gte": int((since - MAX_CLOCK_SKEW).timestamp())}
        listed = ask_all(self._v1.customers.list, created=created)
        found = (each for each in listed if (each.get("metadata") or {}).items() >= metadata.items())
        return next((str(each["id"]) for each in found), None)

    def update_customer(
        self, customer_id: str, *, name: str | None, email: str | None, details: BillingDetails | None
    ) -> None:
        """Give a Stripe customer another name, email or details; None leaves it, an empty text clears it.

        The tax id takes `replace_tax_id`. Harmless to repeat, so without a key.
        Source: https://docs.stripe.com/api/customers/update
        """
        params = {"name": name, "email": email} | (details.params() if details else {})
        ask(self._v1.customers.update, customer_id, params=params)

    def replace_tax_id(self, customer_id: str, old: TaxNumber | None, new: TaxNumber | None) -> None:
        """Give a customer a tax id in place of one that it has from us. Others stay.

        Stripe can't change a tax id, so the new one is added before the old one goes. Harmless to repeat.
        Raises StripeRefused when Stripe does not accept the number.
        Source: https://docs.stripe.com/api/tax_ids/customer_create
        """
        tax_ids = self._v1.customers.tax_ids
        listed = ask_all(tax_ids.list, customer_id)
        held = {row["id"]: TaxNumber(row["type"], row["value"]) for row in listed}
        if new is not None and new not in held.values():
            ask(tax_ids.create, customer_id, params={"type": new.type, "value": new.value})
        for tax_id, known in held.items():
            if known == old != new:
                ask(tax_ids.delete, customer_id, tax_id)

    def customer(self, customer_id: str) -> StripeCustomer:
        """What Stripe says about a customer now; a deleted one is answered, not missing.

        Raises StripeObjectMissing. Source: https://docs.stripe.com/api/customers/retrieve
        """
        return StripeCustomer.of(ask(self._v1.customers.retrieve, customer_id, params={"expand": [DEFAULT]}))

    def customer_or_gone(self, customer_id: str) -> StripeCustomer:
        """Return the same. A customer that Stripe does not have counts as deleted."""
        try:
            return self.customer(customer_id)
        except StripeObjectMissing:
            return StripeCustomer(id=customer_id, deleted=True, default_method=None)

    def set_default_method(
        self, customer_id: str, method_id: str | None, *, choice: str | None = None
    ) -> StripeCustomer:
        """Make an attached method (pm_…) the default, or none. Checkout never does this.

        A `choice` is the id of a person's decision. Stripe keeps it in the metadata, so that its
        list of events shows when it was, even if that method was the default before. Without one, it was our
        policy: the event shows that by the request's key.

        Harmless to repeat, so with another key each time: what is replayed for one would be the default of
        back then.
        Raises StripeRefused when the method is no longer attached.
        Source: https://docs.stripe.com/api/customers/update#update_customer-invoice_settings
        """
        params: dict[str, Any] = {
            "invoice_settings": {"default_payment_method": method_id or ""},
            "expand": [DEFAULT],
        }
        options: Any = {"idempotency_key": f"{BY_POLICY}{uuid4()}"} if choice is None else {}
        if choice is not None:
            params["metadata"] = {CHOICE: choice}
        return StripeCustomer.of(ask(self._v1.customers.update, customer_id, params=params, options=options))

    def payment_method(self, method_id: str) -> Method:
        """A payment method (pm_…), whosever it is. Raises StripeObjectMissing.

        Source: https://docs.stripe.com/api/payment_methods/retrieve
        """
        return Method.of(ask(self._v1.payment_methods.retrieve, method_id))

    def payment_methods(self, customer_id: str) -> list[Method]:
        """All methods attached to a customer, newest first. Stripe lets a customer have some hundreds.

        Source: https://docs.stripe.com/api/payment_methods/customer_list
        """
        return [Method.of(body) for body in ask_all(self._v1.customers.payment_methods.list, customer_id)]

    def detach_method(self, method_id: str) -> None:
        """Remove a method (pm_…) from its customer. It is final: Stripe attaches none twice.

        Raises StripeObjectMissing, and StripeRefused when it is no longer attached.
        Source: https://docs.stripe.com/api/payment_methods/detach
        """
        ask(self._v1.payment_methods.detach, method_id)

    def mandate(self, mandate_id: str) -> Mandate:
        """A mandate (mandate_…) as it is now. Raises StripeObjectMissing.

        Source: https://docs.stripe.com/api/mandates/retrieve
        """
        return Mandate.of(ask(self._v1.mandates.retrieve, mandate_id))

    def customers(self, *, after: str | None = None) -> CustomerPage:
        """A page of all the account's customers, newest first; or the page after one of them (cus_…).

        Unlike Stripe's search, this list never lags. Raises StripeRefused when it has no such customer.
        Source: https://docs.stripe.com/api/customers/list
        """
        listed = ask(self._v1.customers.list, params={"limit": 100, "starting_after": after})
        found = [ListedCustomer.of(body) for body in listed["data"]]
        return CustomerPage(found, has_more=bool(found) and listed["has_more"])
