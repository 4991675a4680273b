"""Calls about the account: its events and its webhook endpoints, what the key may do, and Stripe's clock."""

import time
from collections.abc import Collection
from datetime import datetime
from email.utils import parsedate_to_datetime

import stripe

from app.gateway.calls.common import Calls, ask, ask_all
from app.gateway.calls.permissions import Permission, permissions
from app.gateway.errors import translate_errors
from app.gateway.values.answers import Account, Endpoint
from app.gateway.values.listed import EventPage, SentEvent
from app.gateway.version import API_VERSION, EVENTS


class AccountCalls(Calls):
    """The account, its events and its webhook endpoints."""

    livemode: bool
    is_restricted: bool

    def account(self) -> Account:
        """Return the account of this key. A restricted key may lack the permission to ask.

        Source: https://docs.stripe.com/api/accounts/retrieve
        """
        body = ask(self._v1.accounts.retrieve_current)
        profile = body.get("business_profile") or {}
        dashboard = (body.get("settings") or {}).get("dashboard") or {}
        name = profile.get("name") or dashboard.get("display_name")
        return Account(id=body["id"], name=name, livemode=self.livemode)

    def permissions(self) -> list[Permission]:
        """What this key may do of what we need. Nothing is read or written to find out."""
        return permissions(self._v1, is_restricted=self.is_restricted)

    def clock_skew(self) -> float | None:
        """Return the seconds that Stripe's clock is ahead, to about a second; None without a time.

        The Date of an answer says it, and a refusal has one too.
        """
        sent = time.time()
        with translate_errors():
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

    def events(
        self, since: datetime, *, after: str | None = None, types: Collection[str] = EVENTS
    ) -> EventPage:
        """A page of the events that we want since then, newest first; or the page after one of them (evt_…).

        Stripe lists the last thirty days. Raises StripeRefused when it has forgotten that event.
        Source: https://docs.stripe.com/api/events/list
        """
        params = {
            "limit": 100,
            "types": list(types),
            "created": {"gte": int(since.timestamp())},
            "starting_after": after,
        }
        listed = ask(self._v1.events.list, params=params)
        return EventPage(listed["data"], has_more=bool(listed["data"]) and listed["has_more"])

    def create_webhook_endpoint(
        self, url: str, *, metadata: dict[str, str], idempotency_key: str
    ) -> Endpoint:
        """Have Stripe send our events to a URL, in the API version that we read.

        Only this answer contains the signing secret. A repeat with the same key gets the same answer, so a
        restart after a crash finds the endpoint that was made.
        Source: https://docs.stripe.com/api/webhook_endpoints/create
        """
        params = {
            "url": url,
            "enabled_events": list(EVENTS),
            "api_version": API_VERSION,
            "description": "Made by Gangway. It is kept in order from there.",
            "metadata": metadata,
        }
        key = {"idempotency_key": idempotency_key}
        return Endpoint.of(ask(self._v1.webhook_endpoints.create, params=params, options=key))

    def webhook_endpoints(self) -> list[Endpoint]:
        """Every endpoint of the account in this mode; Stripe allows sixteen.

        Source: https://docs.stripe.com/api/webhook_endpoints/list
        """
        return [Endpoint.of(body) for body in ask_all(self._v1.webhook_endpoints.list)]

    def repair_webhook_endpoint(self, endpoint_id: str, url: str) -> Endpoint:
        """Have an endpoint enabled and lead our events to this URL. Harmless to repeat, so without a key.

        Its version and its secret can't be changed. Raises StripeObjectMissing.
        Source: https://docs.stripe.com/api/webhook_endpoints/update
        """
        params = {"url": url, "enabled_events": list(EVENTS), "disabled": False}
        return Endpoint.of(ask(self._v1.webhook_endpoints.update, endpoint_id, params=params))

    def delete_webhook_endpoint(self, endpoint_id: str) -> None:
        """Remove an endpoint; one that is gone already raises StripeObjectMissing.

        Source: https://docs.stripe.com/api/webhook_endpoints/delete
        """
        ask(self._v1.webhook_endpoints.delete, endpoint_id)


def _headers(thing: "stripe.StripeObject") -> dict[str, str]:
    return dict(thing.last_response.headers) if thing.last_response is not None else {}
