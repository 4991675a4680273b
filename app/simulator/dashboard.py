"""What people do in Stripe's Dashboard, and what banks and card networks do."""

from datetime import UTC, datetime, timedelta

from app.simulator.protocol.faults.fault_settings import FaultSettings
from app.simulator.protocol.work import Work
from app.simulator.resources import cards, customer_store, customers, payment_method_store
from app.simulator.resources.setup import mandates
from app.simulator.store import DEFAULT_ACCOUNT, JSON, Clock, Collection, Store, ids


class Dashboard:
    """Changes that do not come from the API.

    All methods raise KeyError for an unknown id, and ValueError for what is impossible.
    """

    store: Store
    clock: Clock
    fault_settings: FaultSettings
    public_url: str

    def work_for(self, key: str, collection: Collection | None = None) -> Work:
        """Make the `Work` for the account of an object: a Checkout Session, or one of `collection`."""
        owners = self.store.checkout_sessions if collection is None else collection
        account = owners.owner(key) if key in owners else DEFAULT_ACCOUNT
        return Work(self.store, self.clock, self.fault_settings, account, self.public_url)

    # Customers

    def create_customer(self, name: str) -> str:
        """Create a customer in the default account and return its id (cus_…)."""
        work = Work(self.store, self.clock, self.fault_settings, DEFAULT_ACCOUNT, self.public_url)
        with self.store.transaction():
            customer = work.put(self.store.customers, customer_store.new_customer(work) | {"name": name})
            work.emit("customer.created", customer)
        return str(customer["id"])

    def delete_customer(self, customer_id: str) -> None:
        """Delete a customer and detach its payment methods."""
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
        """Attach a card to a customer and return its id (pm_…). It expires next year by default."""
        customer = self._existing_customer(customer_id)
        card = cards.CARDS.get(number.replace(" ", ""))
        if card is None:
            raise ValueError(f"{number} is not a test card.")
        work = self._customer_work(customer_id)
        soon = payment_method_store.next_year(work)
        with self.store.transaction():
            method = payment_method_store.create_card(work, card, month or soon[0], year or soon[1])
            payment_method_store.attach(work, method, customer["id"])
            if default:
                self.choose_default(customer_id, method["id"])
        return str(method["id"])

    def choose_default(self, customer_id: str, method_id: str | None) -> None:
        """Set or clear the customer's default payment method."""
        customer = self._existing_customer(customer_id)
        if method_id and self.store.payment_methods[method_id]["customer"] != customer_id:
            raise ValueError(f"{method_id} is not attached to {customer_id}.")
        if customer["invoice_settings"]["default_payment_method"] != (method_id or None):
            with self.store.transaction():
                payment_method_store.make_default(
                    self._customer_work(customer_id), customer, method_id or None
                )

    # Payment methods

    def detach_payment_method(self, method_id: str) -> None:
        """Detach a payment method from its customer."""
        with self.store.transaction():
            method = self.store.payment_methods[method_id]
            if method["customer"] is not None:
                payment_method_store.detach(self._method_work(method_id), method)

    def renew_card(
        self, method_id: str, *, month: int = 12, year: int = 2040, last4: str | None = None
    ) -> None:
        """Send a new expiry or number, as card networks do (payment_method.automatically_updated)."""
        card = self._card(method_id)
        with self.store.transaction():
            changes = {"exp_month": month, "exp_year": year, "last4": last4 or card["card"]["last4"]}
            payment_method_store.change_card(self._method_work(method_id), card, by_network=True, **changes)

    def age_card(self, method_id: str, *, month: int | None = None, year: int | None = None) -> None:
        """Change the expiry of a card (payment_method.updated), to last month by default."""
        card = self._card(method_id)
        last = datetime.fromtimestamp(self.clock.now(), UTC).replace(day=1) - timedelta(days=1)
        with self.store.transaction():
            changes = {"exp_month": month or last.month, "exp_year": year or last.year}
            payment_method_store.change_card(self._method_work(method_id), card, by_network=False, **changes)

    def settle_mandate(self, mandate_id: str, status: str) -> None:
        """Accept a mandate ("active"), revoke it ("inactive"), or set it back to "pending", as the bank."""
        if status not in {"active", "inactive", "pending"}:
            raise ValueError("A mandate is active, inactive or pending.")
        with self.store.transaction():
            work = self.work_for(mandate_id, self.store.mandates)
            mandates.settle(work, self.store.mandates[mandate_id], status)

    # Webhook endpoints and events

    def delete_endpoint(self, endpoint_id: str) -> None:
        """Delete a webhook endpoint. Its pending deliveries fail."""
        del self.store.webhook_endpoints[endpoint_id]

    def change_endpoint(
        self,
        endpoint_id: str,
        *,
        enabled: bool | None = None,
        url: str | None = None,
        events: list[str] | None = None,
    ) -> None:
        """Disable or enable a webhook endpoint, or change its URL or events."""
        endpoint = self.store.webhook_endpoints[endpoint_id]
        status = None if enabled is None else "enabled" if enabled else "disabled"
        given = {"status": status, "url": url, "enabled_events": events}
        changes = {name: value for name, value in given.items() if value is not None}
        self._endpoint_work(endpoint_id).change(self.store.webhook_endpoints, endpoint, **changes)

    def roll_secret(self, endpoint_id: str, *, overlap: float = 0) -> str:
        """Give an endpoint a new signing secret and return it.

        For `overlap` seconds (24 hours at most) the simulator signs deliveries with both secrets.
        """
        if not 0 <= overlap <= 24 * 3600:
            raise ValueError("The old secret stays valid for 24 hours at most.")
        work = self._endpoint_work(endpoint_id)
        old, new = work.note(self.store.webhook_endpoints[endpoint_id]["id"])["secret"], ids.webhook_secret()
        work.add_note(endpoint_id, secret=new, old_secret=old, old_until=self.clock.precise() + overlap)
        return new

    def replay_event(self, event_id: str) -> int:
        """Send an event again to every endpoint that takes its type. Return the number of endpoints."""
        event = self.store.events[event_id]
        work = self.work_for(event_id, self.store.events)
        with self.store.transaction():
            endpoints = work.endpoints_for(event["type"])
            for endpoint in endpoints:
                work.queue(event_id, endpoint["id"])
        return len(endpoints)

    def _existing_customer(self, customer_id: str) -> JSON:
        customer = self.store.customers[customer_id]
        if customer.get("deleted"):
            raise ValueError(f"{customer_id} was deleted.")
        return customer

    def _card(self, method_id: str) -> JSON:
        method = self.store.payment_methods[method_id]
        if "card" not in method:
            raise ValueError(f"{method_id} is not a card.")
        return method

    def _customer_work(self, customer_id: str) -> Work:
        return self.work_for(customer_id, self.store.customers)

    def _method_work(self, method_id: str) -> Work:
        return self.work_for(method_id, self.store.payment_methods)

    def _endpoint_work(self, endpoint_id: str) -> Work:
        return self.work_for(endpoint_id, self.store.webhook_endpoints)
