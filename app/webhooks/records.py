"""What our tables hold about the objects that many events name, read in a few statements."""

from collections.abc import Collection, Iterable
from typing import Protocol

from sqlalchemy.orm import Session

from app import checkout, payers


class Names(Protocol):
    """The ids in an event by which we may know its payer."""

    @property
    def customer_id(self) -> str | None: ...
    @property
    def method_id(self) -> str | None: ...
    @property
    def session_ids(self) -> set[str]: ...


class Records:
    """Our rows about some events, by Stripe's ids. They are as they were when this was made."""

    def __init__(
        self,
        session: Session,
        named: Collection[tuple[str, Names]],
        payers_of_events: Iterable[payers.Payer] | None = None,
    ) -> None:
        """Read what is named, each time with the id of an app; the payers too, unless they are given."""
        self._session = session
        self._sessions = checkout.by_stripe_ids(
            session, {id_ for _, names in named for id_ in names.session_ids}
        )
        found = payers_of_events
        if found is None:
            customers = {(app_id, names.customer_id) for app_id, names in named if names.customer_id}
            found = payers.of_stripe_customers(session, customers)
        self._payers = {(payer.app_id, payer.stripe_customer_id): payer for payer in found}
        methods = {(app_id, names.method_id) for app_id, names in named if not names.customer_id}
        self._methods = payers.methods(session, {(app_id, id_) for app_id, id_ in methods if id_})
        self._unsettled: set[str] | None = None

    def of_customer(self, app_id: str, stripe_customer_id: str) -> payers.Payer | None:
        """Return the live payer of a Stripe customer (cus_…)."""
        return self._payers.get((app_id, stripe_customer_id))

    def of_method(self, app_id: str, method_id: str | None) -> payers.Payer | None:
        """Return the live payer of a payment method (pm_…)."""
        method = self._methods.get((app_id, method_id)) if method_id else None
        return method.payer if method and method.payer.deleted_at is None else None

    def session(self, stripe_id: str | None) -> checkout.CheckoutSession | None:
        """Return the checkout session with this id (cs_…) or with this SetupIntent (seti_…)."""
        return self._sessions.get(stripe_id) if stripe_id else None

    def has_unsettled(self, payer: payers.Payer) -> bool:
        """Has a payer checkout sessions about which Stripe may still say something new?"""
        if self._unsettled is None:
            known = {each.id for each in self._payers.values()} | {payer.id}
            self._unsettled = checkout.with_unsettled(self._session, known)
        return payer.id in self._unsettled or (
            (payer.app_id, payer.stripe_customer_id) not in self._payers
            and bool(checkout.unsettled(self._session, payer.id))
        )
