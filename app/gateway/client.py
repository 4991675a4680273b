"""Stripe as this product needs it: a few verbs, our words in and out."""

import hashlib
import json
import time
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from uuid import uuid4

import stripe

from app.gateway.choices import BY_POLICY, CHOICE
from app.gateway.errors import translated
from app.gateway.facts import (
    Account,
    CustomerFacts,
    Endpoint,
    HostedSession,
    Mandate,
    Method,
    PortalSession,
    SessionFacts,
    instant,
)
from app.gateway.listed import CustomerPage, EventPage, ListedCustomer, SentEvent
from app.gateway.pages import PageOptions
from app.gateway.patience import PatientClient, allows_retry
from app.gateway.rights import Right, is_restricted, rights
from app.gateway.watched import Watched, type_told

stripe.enable_telemetry = False  # it would write into the home folder and report timings

API_VERSION: str = stripe.api_version
TIMEOUTS = (3.05, 8)  # seconds to connect, seconds to answer
CLOCKS_APART = timedelta(minutes=10)  # how far Stripe's clock and ours may differ
NETWORK_RETRIES = 1  # a lease outlives such a call; the client's own default is none, and never for 429
MOST_SPENT = 10  # idempotency keys of one thing, used up by trouble at Stripe or by what is taken

Made = TypeVar("Made")

EVENTS: tuple[Any, ...] = (
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.deleted",
    "customer.updated",
    "mandate.updated",
    "payment_method.attached",
    "payment_method.automatically_updated",
    "payment_method.detached",
    "payment_method.updated",
    "setup_intent.canceled",
    "setup_intent.requires_action",
    "setup_intent.setup_failed",
    "setup_intent.succeeded",
)


class StripeGateway:
    """One Stripe account and mode, by its API key. Safe to share between threads.

    Every method raises StripeUnavailable, StripeKeyRejected or StripePermissionMissing besides those it
    names. What makes something takes an idempotency key that names the thing wanted, so that a repeat
    after a crash finds what the first try made (https://docs.stripe.com/api/idempotent_requests).
    """

    def __init__(
        self,
        api_key: str,
        *,
        api_base: str,
        http_client: stripe.HTTPClient | None = None,
        told: type_told | None = None,
    ) -> None:
        client = http_client or PatientClient(timeout=TIMEOUTS)
        self._v1 = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base},
            max_network_retries=NETWORK_RETRIES,
            stripe_version=API_VERSION,
            http_client=Watched(client, told) if told else client,
        ).v1
        self.livemode = is_live(api_key)
        self.is_restricted = is_restricted(api_key)

    def account(self) -> Account:
        """Whose key this is. A restricted key may lack the right to ask.

        Source: https://docs.stripe.com/api/accounts/retrieve
        """
        with translated():
            body = _plain(self._v1.accounts.retrieve_current())
        profile = body.get("business_profile") or {}
        dashboard = (body.get("settings") or {}).get("dashboard") or {}
        return Account(
            id=body["id"],
            name=profile.get("name") or dashboard.get("display_name"),
            livemode=self.livemode,
        )

    def rights(self) -> list[Right]:
        """What this key may do of what we need. Nothing is read or written to find out."""
        return rights(self._v1, is_restricted=self.is_restricted)

    def clock_skew(self) -> float | None:
        """By how many seconds Stripe's clock is ahead of ours, to about a second; None if it tells no time.

        Told by the Date of an answer, and a refusal has one too.
        """
        sent = time.time()
        with translated():
            try:
                headers = _headers(self._v1.accounts.retrieve_current())
            except stripe.StripeError as error:
                if error.http_status is None:
                    raise
                headers = error.headers or {}
        between = (sent + time.time()) / 2
        said = {name.lower(): value for name, value in headers.items()}.get("date")
        return parsedate_to_datetime(said).timestamp() + 0.5 - between if said else None

    def sent_events(self, since: datetime) -> list[SentEvent]:
        """The latest hundred events of the kinds that we want, the newest first, and whether they arrived."""
        return [SentEvent.of(event) for event in self.events(since).events]

    def create_customer(
        self,
        *,
        name: str,
        email: str | None,
        metadata: dict[str, str],
        idempotency_key: str,
        since: datetime,
        is_taken: Callable[[str], bool],
    ) -> str:
        """Make a Stripe customer and give its id, cus_….

        Stripe keeps two customers with one email apart; only our record and the key prevent doubles. When
        the key was used before with another name or email, the customer of that time is found by its
        metadata and brought up to date: somebody corrected a form whose first try had failed half-way.
        `since` is when it was asked for first, within the day for which Stripe remembers the key. One that
        `is_taken` is left alone, and another is made; it may come back all the same after trouble on the way.
        Source: https://docs.stripe.com/api/customers/create
        """
        params: dict[str, Any] = {"name": name, "metadata": metadata}
        if email:
            params["email"] = email

        def make(once: stripe.RequestOptions) -> stripe.Customer:
            return self._v1.customers.create(params=params, options=once)  # type: ignore[arg-type]

        def find() -> str | None:
            return self.find_customer(metadata, since=since, is_taken=is_taken)

        def is_spent(made: stripe.Customer) -> bool:
            return is_taken(made.id)

        with translated():
            try:
                return _made(make, idempotency_key, found=find, is_spent=is_spent).id
            except _MadeBefore as before:
                return before.id
            except stripe.IdempotencyError:
                found = find()
            if found is None:  # it was deleted since, or is taken
                return _made(make, f"{idempotency_key}-{_digest(params)}", is_spent=is_spent).id
        self.update_customer(found, name=name, email=email or "")
        return found

    def find_customer(
        self,
        metadata: dict[str, str],
        *,
        since: datetime,
        until: datetime | None = None,
        is_taken: Callable[[str], bool],
    ) -> str | None:
        """The newest customer (cus_…) with these marks, of those made in a span of time; not one `is_taken`.

        Unlike Stripe's search, its list never lags. The time of making is what nobody can change later, as
        they can the email. The whole span is looked through, a call for each hundred of its customers.
        Source: https://docs.stripe.com/api/customers/list
        """
        created = {"gte": int((since - CLOCKS_APART).timestamp())}
        if until is not None:
            created["lte"] = int((until + CLOCKS_APART).timestamp())
        params: dict[str, Any] = {"limit": 100, "created": created}
        with translated():
            listed = self._v1.customers.list(params=params)  # type: ignore[arg-type]
            for customer in listed.auto_paging_iter():
                marks = customer.metadata.to_dict() if customer.metadata else {}
                if marks.items() >= metadata.items() and not is_taken(customer.id):
                    return customer.id
        return None

    def update_customer(self, customer_id: str, *, name: str | None, email: str | None) -> None:
        """Give a Stripe customer another name or email; None leaves it, an empty text clears it.

        Harmless to repeat, so without a key. Source: https://docs.stripe.com/api/customers/update
        """
        given = {"name": name, "email": email}
        params: Any = {field: value for field, value in given.items() if value is not None}
        with translated():
            self._v1.customers.update(customer_id, params=params)

    def customer(self, customer_id: str) -> CustomerFacts:
        """What Stripe says of a customer now; a deleted one is answered, not missing.

        Raises StripeObjectMissing. Source: https://docs.stripe.com/api/customers/retrieve
        """
        with translated():
            found = self._v1.customers.retrieve(
                customer_id, params={"expand": ["invoice_settings.default_payment_method"]}
            )
        return CustomerFacts.of(_plain(found))

    def set_default_method(
        self, customer_id: str, method_id: str | None, *, choice: str | None = None
    ) -> CustomerFacts:
        """Make an attached method (pm_…) the default, or none. Checkout never does so by itself.

        A `choice` is an id of its own for what somebody decided. Stripe keeps it in the metadata, so that its
        list of events shows when it was, even if that method was the default before. Without one, it was our
        policy: the event shows that by the request's key.

        Harmless to repeat, so with another key each time: what is replayed for one would be the default of
        back then.
        Raises StripeRefused when the method is no longer attached.
        Source: https://docs.stripe.com/api/customers/update#update_customer-invoice_settings
        """
        params: dict[str, Any] = {
            "invoice_settings": {"default_payment_method": method_id or ""},
            "expand": ["invoice_settings.default_payment_method"],
        }
        options: Any = {"idempotency_key": f"{BY_POLICY}{uuid4()}"} if choice is None else {}
        if choice is not None:
            params["metadata"] = {CHOICE: choice}
        with translated():
            updated = self._v1.customers.update(customer_id, params=params, options=options)  # type: ignore[arg-type]
        return CustomerFacts.of(_plain(updated))

    def payment_method(self, method_id: str) -> Method:
        """A payment method (pm_…), whosever it is. Raises StripeObjectMissing.

        Source: https://docs.stripe.com/api/payment_methods/retrieve
        """
        with translated():
            found = self._v1.payment_methods.retrieve(method_id)
        return Method.of(_plain(found))

    def payment_methods(self, customer_id: str) -> list[Method]:
        """All methods attached to a customer, newest first. Stripe lets a customer have some hundreds.

        Source: https://docs.stripe.com/api/payment_methods/customer_list
        """
        with translated():
            listed = self._v1.customers.payment_methods.list(customer_id, params={"limit": 100})
            return [Method.of(_plain(method)) for method in listed.auto_paging_iter()]

    def detach_method(self, method_id: str) -> None:
        """Remove a method (pm_…) from its customer, for ever: Stripe attaches none twice.

        Raises StripeObjectMissing, and StripeRefused when it is attached to nobody any more.
        Source: https://docs.stripe.com/api/payment_methods/detach
        """
        with translated():
            self._v1.payment_methods.detach(method_id)

    def mandate(self, mandate_id: str) -> Mandate:
        """A mandate (mandate_…) as it is now. Raises StripeObjectMissing.

        Source: https://docs.stripe.com/api/mandates/retrieve
        """
        with translated():
            found = self._v1.mandates.retrieve(mandate_id)
        return Mandate.of(_plain(found))

    def events(
        self, since: datetime, *, after: str | None = None, types: Collection[str] = EVENTS
    ) -> EventPage:
        """A page of the events that we want since then, newest first; or the page after one of them (evt_…).

        Stripe lists the last thirty days. Raises StripeRefused when it has forgotten that event.
        Source: https://docs.stripe.com/api/events/list
        """
        params: dict[str, Any] = {
            "limit": 100,
            "types": list(types),
            "created": {"gte": int(since.timestamp())},
        }
        if after is not None:
            params["starting_after"] = after
        with translated():
            listed = self._v1.events.list(params=params)  # type: ignore[arg-type]
        found = [_plain(event) for event in listed.data]
        return EventPage(found, has_more=bool(found) and listed.has_more)

    def customers(self, *, after: str | None = None) -> CustomerPage:
        """A page of all the account's customers, newest first; or the page after one of them (cus_…).

        Unlike Stripe's search, this list never lags. Raises StripeRefused when it has no such customer.
        Source: https://docs.stripe.com/api/customers/list
        """
        params: dict[str, Any] = {"limit": 100}
        if after is not None:
            params["starting_after"] = after
        with translated():
            listed = self._v1.customers.list(params=params)  # type: ignore[arg-type]
        found = [
            ListedCustomer(
                id=body["id"], created_at=instant(body["created"]), metadata=body.get("metadata") or {}
            )
            for body in map(_plain, listed.data)
        ]
        return CustomerPage(found, has_more=bool(found) and listed.has_more)

    def open_setup_session(
        self, customer_id: str, options: PageOptions, *, metadata: dict[str, str], idempotency_key: str
    ) -> HostedSession:
        """Open a page on which the Stripe customer saves a payment method.

        The metadata goes on the session and on its SetupIntent: events about the one lack the other's.
        Raises StripeRefused with Stripe's own words when it rejects the parameters.
        Source: https://docs.stripe.com/api/checkout/sessions/create (setup mode needs a currency)
        """
        marked = options.metadata | metadata
        params: dict[str, Any] = {
            "mode": "setup",
            "customer": customer_id,
            "metadata": marked,
            "setup_intent_data": {"metadata": marked},
        }
        with translated():
            opened = _made(
                lambda once: self._v1.checkout.sessions.create(
                    params=params | options.params(),  # type: ignore[arg-type]
                    options=once,
                ),
                idempotency_key,
            )
        return HostedSession.of(_plain(opened))

    def session(self, session_id: str) -> SessionFacts:
        """A session, its SetupIntent with method and mandate, its customer and default: all in one call.

        Raises StripeObjectMissing. Source: https://docs.stripe.com/api/checkout/sessions/retrieve
        """
        with translated():
            found = self._v1.checkout.sessions.retrieve(
                session_id,
                params={
                    "expand": [
                        "setup_intent.payment_method",
                        "setup_intent.mandate",
                        "customer.invoice_settings.default_payment_method",
                    ]
                },
            )
        return SessionFacts.of(_plain(found))

    def expire_session(self, session_id: str) -> None:
        """Close an open page. Raises StripeRefused when it is no longer open.

        Source: https://docs.stripe.com/api/checkout/sessions/expire
        """
        with translated():
            self._v1.checkout.sessions.expire(session_id)

    def open_portal_session(
        self, customer_id: str, *, configuration_id: str | None, locale: str | None, return_url: str | None
    ) -> PortalSession:
        """Open Stripe's customer portal for a customer; without a configuration, the account's default one.

        It lasts minutes, and one too many does no harm, so there is no key.
        Raises StripeRefused with Stripe's own words when it rejects the parameters.
        Source: https://docs.stripe.com/api/customer_portal/sessions/create
        """
        given = {"configuration": configuration_id, "locale": locale, "return_url": return_url}
        params: dict[str, Any] = {"customer": customer_id}
        params |= {name: value for name, value in given.items() if value is not None}
        with translated():
            opened = self._v1.billing_portal.sessions.create(params=params)  # type: ignore[arg-type]
        return PortalSession.of(_plain(opened))

    def create_webhook_endpoint(
        self, url: str, *, metadata: dict[str, str], idempotency_key: str
    ) -> Endpoint:
        """Have Stripe send our events to a URL, in the API version that we read.

        The answer is the only place where Stripe ever tells the signing secret. A repeat with the same key is
        told it again, so that whoever was killed on the way finds the endpoint made already.
        Source: https://docs.stripe.com/api/webhook_endpoints/create
        """
        params: dict[str, Any] = {
            "url": url,
            "enabled_events": list(EVENTS),
            "api_version": API_VERSION,
            "description": "Made by Gangway. It is kept in order from there.",
            "metadata": metadata,
        }
        with translated():
            made = _made(
                lambda once: self._v1.webhook_endpoints.create(
                    params=params,  # type: ignore[arg-type]
                    options=once,
                ),
                f"{idempotency_key}-{_digest(params)}",
            )
        return Endpoint.of(_plain(made))

    def webhook_endpoints(self) -> list[Endpoint]:
        """Every endpoint of the account in this mode; Stripe allows sixteen.

        Source: https://docs.stripe.com/api/webhook_endpoints/list
        """
        with translated():
            listed = self._v1.webhook_endpoints.list(params={"limit": 100})
            return [Endpoint.of(_plain(endpoint)) for endpoint in listed.auto_paging_iter()]

    def mend_webhook_endpoint(self, endpoint_id: str, url: str) -> Endpoint:
        """Have an endpoint enabled and lead our events to this URL. Harmless to repeat, so without a key.

        Its version and its secret can't be changed. Raises StripeObjectMissing.
        Source: https://docs.stripe.com/api/webhook_endpoints/update
        """
        with translated():
            mended = self._v1.webhook_endpoints.update(
                endpoint_id, params={"url": url, "enabled_events": list(EVENTS), "disabled": False}
            )
        return Endpoint.of(_plain(mended))

    def delete_webhook_endpoint(self, endpoint_id: str) -> None:
        """Remove an endpoint; one that is gone already raises StripeObjectMissing.

        Source: https://docs.stripe.com/api/webhook_endpoints/delete
        """
        with translated():
            self._v1.webhook_endpoints.delete(endpoint_id)


def is_live(api_key: str) -> bool:
    """Live or test is told by the key's prefix alone; the account object does not say."""
    return api_key.startswith(("sk_live_", "rk_live_"))


class _MadeBefore(Exception):
    """What was to be made is there: the first try took effect, and its answer was an error all the same."""

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.id = found


def _made(
    make: Callable[[stripe.RequestOptions], Made],
    key: str,
    *,
    found: Callable[[], str | None] = lambda: None,
    is_spent: Callable[[Made], bool] = lambda _: False,
) -> Made:
    """Make one thing, once, whatever went wrong before.

    Stripe keeps the first answer to a key for a day, even a 500, and gives it to every repeat: that key is
    spent. So it is when what it made serves no more. Its successor is tried then, and every later repeat
    finds it in the same way. A 500 does not say whether it took effect, so where two would be too many,
    `found` looks for the thing first; then _MadeBefore is raised with its id.
    Source: https://docs.stripe.com/api/idempotent_requests
    """
    wanted = key
    for number in range(1, MOST_SPENT):
        try:
            made = make({"idempotency_key": wanted, "max_network_retries": 0})
        except stripe.StripeError as error:
            if _keeps_failing(error):
                if (known := found()) is not None:
                    raise _MadeBefore(known) from error
            elif error.http_status is None and not allows_retry(None):
                raise  # a person waits, and has waited long enough for this call
            elif error.http_status is None or error.http_status == 409 or error.http_status >= 500:
                break
            else:
                raise
        else:
            if not is_spent(made):
                return made
        wanted = f"{key}-{number}"
    return make({"idempotency_key": wanted})


def _keeps_failing(error: stripe.StripeError) -> bool:
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    return (error.http_status or 0) >= 500 and headers.get("idempotent-replayed") == "true"


def _digest(params: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()[:16]


def _plain(thing: stripe.StripeObject) -> dict[str, Any]:
    """A StripeObject is no dict and raises on what a reply lacks; plain data doesn't."""
    return thing.to_dict(for_json=True)


def _headers(thing: stripe.StripeObject) -> dict[str, str]:
    return dict(thing.last_response.headers) if thing.last_response is not None else {}
