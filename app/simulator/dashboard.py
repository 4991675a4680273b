"""What people do at Stripe's Dashboard, and what banks and card networks do on their own."""

from datetime import UTC, datetime, timedelta

from app.simulator import cards, customers, ids, setups, wallet
from app.simulator.clock import Clock
from app.simulator.fault_settings import FaultSettings
from app.simulator.shapes import JSON
from app.simulator.store import DEFAULT_ACCOUNT, Collection, Store
from app.simulator.work import Work


class Dashboard:
    """The deeds that no API call of ours causes.

    All raise KeyError for what was never there, and ValueError for what can't be done.
    """

    store: Store
    clock: Clock
    fault_settings: FaultSettings
    public_url: str

    def work_for(self, key: str, collection: Collection | None = None) -> Work:
        """Work in the account that owns this object (a session, when nothing else is said)."""
        owners = self.store.checkout_sessions if collection is None else collection
        account = owners.owner(key) if key in owners else DEFAULT_ACCOUNT
        return Work(self.store, self.clock, self.fault_settings, account, self.public_url)

    # Customers

    def delete_customer(self, customer_id: str) -> None:
        """Delete a customer."""
        with self.store.transaction():
            customer = self.store.customers[customer_id]
            if not customer.get("deleted"):
                customers.remove(self._customer_work(customer_id), customer)

    def attach_card(
        self,
        customer_id: str,
        number: str = "4242424242424242",
        *,
        month: int | None = None,
        year: int | None = None,
        default: bool = False,
    ) -> str:
        """Add a card to a customer, good until next year unless told otherwise; its id (pm_…)."""
        customer = self._living(customer_id)
        card = cards.CARDS.get(number.replace(" ", ""))
        if card is None:
            raise ValueError(f"{number} is no test card.")
        work = self._customer_work(customer_id)
        soon = wallet.next_year(work)
        with self.store.transaction():
            method = wallet.keep_card(work, card, month or soon[0], year or soon[1])
            wallet.attach_to(work, method, customer["id"])
            if default:
                self.choose_default(customer_id, method["id"])
        return str(method["id"])

    def choose_default(self, customer_id: str, method_id: str | None) -> None:
        """Say which method the customer is charged with, or that none is."""
        customer = self._living(customer_id)
        if method_id and self.store.payment_methods[method_id]["customer"] != customer_id:
            raise ValueError(f"{method_id} is not attached to {customer_id}.")
        if customer["invoice_settings"]["default_payment_method"] != (method_id or None):
            with self.store.transaction():
                wallet.make_default(self._customer_work(customer_id), customer, method_id or None)

    # Payment methods

    def detach_payment_method(self, method_id: str) -> None:
        """Take a payment method from its customer."""
        with self.store.transaction():
            method = self.store.payment_methods[method_id]
            if method["customer"] is not None:
                wallet.detach_from(self._method_work(method_id), method)

    def renew_card(
        self, method_id: str, *, month: int = 12, year: int = 2040, last4: str | None = None
    ) -> None:
        """The card network sends a new expiry or number (payment_method.automatically_updated)."""
        card = self._card(method_id)
        with self.store.transaction():
            changes = {"exp_month": month, "exp_year": year, "last4": last4 or card["card"]["last4"]}
            wallet.change_card(self._method_work(method_id), card, by_network=True, **changes)

    def age_card(self, method_id: str, *, month: int | None = None, year: int | None = None) -> None:
        """Correct the expiry of a card (payment_method.updated); to last month unless told otherwise."""
        card = self._card(method_id)
        last = datetime.fromtimestamp(self.clock.now(), UTC).replace(day=1) - timedelta(days=1)
        with self.store.transaction():
            changes = {"exp_month": month or last.month, "exp_year": year or last.year}
            wallet.change_card(self._method_work(method_id), card, by_network=False, **changes)

    def settle_mandate(self, mandate_id: str, status: str) -> None:
        """The bank accepts a mandate ("active"), takes it back ("inactive"), or thinks again ("pending")."""
        if status not in {"active", "inactive", "pending"}:
            raise ValueError("A mandate is active, inactive or pending.")
        with self.store.transaction():
            work = self.work_for(mandate_id, self.store.mandates)
            setups.settle_mandate(work, self.store.mandates[mandate_id], status)

    # Webhook endpoints and events

    def delete_endpoint(self, endpoint_id: str) -> None:
        """Delete a webhook endpoint; what was still to be delivered to it is not."""
        del self.store.webhook_endpoints[endpoint_id]

    def change_endpoint(
        self,
        endpoint_id: str,
        *,
        enabled: bool | None = None,
        url: str | None = None,
        events: list[str] | None = None,
    ) -> None:
        """Disable or enable a webhook endpoint, lead it elsewhere, or choose other events."""
        endpoint = self.store.webhook_endpoints[endpoint_id]
        status = None if enabled is None else "enabled" if enabled else "disabled"
        wanted = {"status": status, "url": url, "enabled_events": events}
        changes = {name: value for name, value in wanted.items() if value is not None}
        self._endpoint_work(endpoint_id).change(self.store.webhook_endpoints, endpoint, **changes)

    def roll_secret(self, endpoint_id: str, *, overlap: float = 0) -> str:
        """Give an endpoint another signing secret, and tell it.

        For so many seconds (24 hours at most) deliveries are signed with both.
        """
        if not 0 <= overlap <= 24 * 3600:
            raise ValueError("The old secret stays good for 24 hours at most.")
        work = self._endpoint_work(endpoint_id)
        old, new = work.note(self.store.webhook_endpoints[endpoint_id]["id"])["secret"], ids.webhook_secret()
        until = self.clock.precise() + overlap
        work.remark(endpoint_id, secret=new, old_secret=old, old_until=until)
        return new

    def replay_event(self, event_id: str) -> int:
        """Queue an event once more for every endpoint that wants it; how many those are."""
        event = self.store.events[event_id]
        work = self.work_for(event_id, self.store.events)
        with self.store.transaction():
            takers = work.takers(event["type"])
            for endpoint in takers:
                work.queue(event_id, endpoint["id"])
        return len(takers)

    def _living(self, customer_id: str) -> JSON:
        customer = self.store.customers[customer_id]
        if customer.get("deleted"):
            raise ValueError(f"{customer_id} was deleted.")
        return customer

    def _card(self, method_id: str) -> JSON:
        method = self.store.payment_methods[method_id]
        if "card" not in method:
            raise ValueError(f"{method_id} is no card.")
        return method

    def _customer_work(self, customer_id: str) -> Work:
        return self.work_for(customer_id, self.store.customers)

    def _method_work(self, method_id: str) -> Work:
        return self.work_for(method_id, self.store.payment_methods)

    def _endpoint_work(self, endpoint_id: str) -> Work:
        return self.work_for(endpoint_id, self.store.webhook_endpoints)
