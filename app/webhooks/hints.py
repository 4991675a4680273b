"""Read an event as a hint: which payer it concerns, and whether it tells us anything new.

An event is never the new state: it may be old, repeated or out of order. We only compare it with our record,
and ask Stripe when the two differ. So an event without news costs no call.
"""

from datetime import timedelta
from typing import Any, TypeGuard

from app import checkout, payers
from app.core.db import fitted
from app.core.values import frozen
from app.gateway import API_VERSION, Method, StripeCustomer, StripeSetup
from app.webhooks.records import Records

NOBODY = "It concerns none of our customers."
NOW = timedelta(0)
SOON = timedelta(seconds=5)  # an attempt failed or a method arrived: more events follow within moments
LATER = timedelta(minutes=1)  # a person goes through 3-D Secure; most finish, which makes another event

DELAYS = {
    "payment_method.attached": SOON,
    "setup_intent.setup_failed": SOON,
    "setup_intent.requires_action": LATER,
}


@frozen
class Hint:
    """One event: the snapshot of its object, and the previous values."""

    type: str
    snapshot: dict[str, Any]
    previous: dict[str, Any]
    is_readable: bool  # in our API version; of another version we use only the ids

    @classmethod
    def of(cls, body: dict[str, Any]) -> "Hint | None":
        """Read an event. Return None when it has no object with an id."""
        data = body.get("data")
        snapshot = data.get("object") if isinstance(data, dict) else None
        if not isinstance(snapshot, dict) or not _is_id(snapshot.get("id")):
            return None
        previous = data.get("previous_attributes") if isinstance(data, dict) else None
        return cls(
            str(body["type"]),
            snapshot,
            previous if isinstance(previous, dict) else {},
            is_readable=body.get("api_version") == API_VERSION,
        )

    @property
    def object_id(self) -> str:
        """The id of the event's object."""
        return str(self.snapshot["id"])

    @property
    def delay(self) -> timedelta:
        """How long we wait before we ask Stripe, because more events are likely to follow."""
        return DELAYS.get(self.type, NOW)

    def claims_app(self, app_id: str) -> bool:
        """Does the object's metadata name this app?"""
        return self._metadata.get("om_app_id") == app_id

    @property
    def claimed_customer(self) -> str | None:
        """Our customer that the object's metadata names."""
        return _id_of(self._metadata.get("om_customer_id"))

    @property
    def _metadata(self) -> dict[str, Any]:
        metadata = self.snapshot.get("metadata")
        return metadata if isinstance(metadata, dict) else {}

    @property
    def names_no_customer(self) -> bool:
        """Is it about a mandate? A mandate names only a method, which we may not have stored yet."""
        return self.snapshot.get("object") == "mandate"

    @property
    def customer_id(self) -> str | None:
        """The Stripe customer (cus_…) that it names. A detached method names its former one."""
        is_customer = self.snapshot.get("object") == "customer"
        customer = self.object_id if is_customer else self.snapshot.get("customer")
        return _id_of(customer or self.previous.get("customer"))

    @property
    def method_id(self) -> str | None:
        """The method (pm_…) that it is about or names."""
        return self._id_in("payment_method")

    @property
    def session_ids(self) -> set[str]:
        """The checkout session (cs_…) and the SetupIntent (seti_…) that it is about or names."""
        return set(filter(None, (self._id_in("checkout.session"), self._id_in("setup_intent"))))

    def payer(self, records: Records, app_id: str) -> payers.Payer | None:
        """Find the payer by the event's customer, or by any id in it that our tables contain."""
        if self.customer_id is not None:
            return records.of_customer(app_id, self.customer_id)
        return records.of_method(app_id, self.method_id) or self._by_session(records, app_id)

    def _by_session(self, records: Records, app_id: str) -> payers.Payer | None:
        session_id, setup_id = self._id_in("checkout.session"), self._id_in("setup_intent")
        row = records.session(session_id) or records.session(setup_id)
        is_ours = row is not None and row.payer.app_id == app_id and row.payer.deleted_at is None
        return row.payer if row is not None and is_ours else None

    def _id_in(self, kind: str) -> str | None:
        """Return the object's own id if it is of this kind, else the id of the one it refers to."""
        return self.object_id if self.snapshot.get("object") == kind else _id_of(self.snapshot.get(kind))

    def is_news(self, records: Records, payer: payers.Payer) -> bool:
        """Does the snapshot differ from our record? Assume so for one that we can't read."""
        if not self.is_readable:
            return not self._is_final(records)
        try:
            return self._differs(records, payer)
        except (AttributeError, KeyError, TypeError, ValueError):
            return True

    def _is_final(self, records: Records) -> bool:
        """Is it about a final checkout session, which nothing can change?"""
        kinds = ("setup_intent", "checkout.session")  # no set, because a malformed kind may be a list
        if self.snapshot.get("object") not in kinds:
            return False
        row = records.session(self.object_id)
        return row is not None and row.is_final

    def _differs(self, records: Records, payer: payers.Payer) -> bool:
        match self.snapshot.get("object"):
            case "setup_intent":
                return self._setup_is_news(records, payer)
            case "checkout.session":
                row = records.session(self.object_id)
                return row is not None and not row.is_final and row.status != self.snapshot.get("status")
            case "payment_method":
                return self._method_is_news(payer)
            case "customer":
                return self._customer_is_news(payer)
            case "mandate":
                return self._mandate_is_news(payer)
            case _:
                return records.has_unsettled(payer)

    def _setup_is_news(self, records: Records, payer: payers.Payer) -> bool:
        setup = StripeSetup.of(self.snapshot)
        row = records.session(setup.id)
        if row is None:  # somebody set it up elsewhere for the same Stripe customer
            method_id = self.snapshot.get("payment_method")
            return setup.status == "succeeded" and method_id not in {method.id for method in payer.methods}
        return not row.is_final and _is_other(
            row,
            setup_status=setup.status,
            error_code=setup.error_code,
            decline_code=setup.decline_code,
        )

    def _method_is_news(self, payer: payers.Payer) -> bool:
        method = Method.of(self.snapshot)
        known = next((row for row in payer.methods if row.id == method.id), None)
        if known is None:
            return method.customer_id is not None
        if method.customer_id is None:
            return known.detached_at is None
        shown = ("brand", "last4", "exp_month", "exp_year")
        return known.detached_at is None and _is_other(
            known, **{name: getattr(method, name) for name in shown}
        )

    def _mandate_is_news(self, payer: payers.Payer) -> bool:
        known = next((row for row in payer.methods if row.id == self.snapshot["payment_method"]), None)
        said = (self.object_id, self.snapshot["status"])
        return known is None or (known.mandate_id, known.mandate_status) != said

    def _customer_is_news(self, payer: payers.Payer) -> bool:
        if self.type == "customer.deleted" or StripeCustomer.of(self.snapshot).deleted:
            return payer.stripe_deleted_at is None
        settings = self.snapshot.get("invoice_settings")
        default = settings.get("default_payment_method") if isinstance(settings, dict) else None
        return default != payer.default_method_id or payers.has_other_contact(payer, self.snapshot)


def _id_of(reference: Any) -> str | None:
    """Return the id of a reference, expanded or not."""
    found = reference.get("id") if isinstance(reference, dict) else reference
    return found if _is_id(found) else None


def _is_other(row: payers.PaymentMethod | checkout.CheckoutSession, **values: Any) -> bool:
    """Do these values differ from the row's, compared at the length of its columns?"""
    return any(getattr(row, name) != fitted(getattr(type(row), name), values[name]) for name in values)


def _is_id(value: object) -> TypeGuard[str]:
    """Could this be an id? JSON allows NUL and lone surrogates, but databases do not."""
    return isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable()
