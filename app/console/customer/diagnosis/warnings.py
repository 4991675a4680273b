"""What a payment status does not say: several methods, missed events, trouble in asking Stripe."""

from collections.abc import Iterator
from datetime import timedelta

from app import audit, doctor, webhooks
from app.console.common import wording
from app.console.customer.account import Account
from app.console.customer.diagnosis import default_method
from app.console.customer.diagnosis.findings import Finding, SuggestedAction
from app.console.customer.view import View
from app.core.config import settings
from app.web.times import ago

EVENT_DELAY = timedelta(minutes=1)
RECENT = timedelta(days=7)  # older repairs are in the timeline only


def warnings_of(account: Account, view: View) -> Iterator[Finding]:
    """The warnings about a customer in one app."""
    if account.payer is None:
        return
    if account.method is not None and account.others:
        many = {1: "Two methods"}.get(len(account.others), f"{len(account.others) + 1} methods")
        yield Finding(
            "info",
            f"{many} are attached",
            f"{account.method.title} is the default. {default_method.explain(account)}",
        )
    yield from _missed(account, view)
    if account.payer.attempts and account.payer.last_error and account.app.status != "unauthorized":
        due = account.payer.due_at
        again = f"We try again {ago(due)}." if due else "We won't try again automatically: check now."
        since = (
            f"This page shows the state from {ago(account.payer.verified_at)}."
            if account.payer.verified_at
            else ""
        )
        yield Finding(
            "warning",
            "Stripe did not answer",
            f"{account.payer.last_error} {since} {again}",
        )


def _missed(account: Account, view: View) -> Iterator[Finding]:
    """Events that Stripe did not deliver: the webhook is or was broken."""
    if settings().is_pulling:  # without a webhook, we always fetch events
        return
    found = _found_by_looking(account, view)
    fetched = [event for event in _events(account, view) if event.origin == "backfill"]
    if found is not None:
        how = f"A check {ago(found.at)} found a change without an event: {_found(found)}."
    elif fetched:
        how = f"Stripe did not deliver {len(fetched)} of the events below. We fetched them later."
    elif any(trouble.state is doctor.State.RED for trouble in account.troubles):
        how = "We only notice changes at Stripe when we check."
    else:
        return
    yield Finding(
        "warning",
        "Events were missed",
        f"{how} {_cause(account)}",
        (SuggestedAction.EXAMINE, SuggestedAction.EVENTS),
        account.app.id,
    )


def _found_by_looking(account: Account, view: View) -> audit.Entry | None:
    """The last change without an event. A manual check may only have been quicker than its event."""
    drift, untold = account.last("sync.drift"), account.last("sync.untold")
    if untold is not None and any(
        event.received_at > untold.at - EVENT_DELAY for event in _events(account, view)
    ):
        untold = None
    known = [entry for entry in (drift, untold) if entry is not None and entry.at > view.now - RECENT]
    return max(known, key=lambda entry: entry.at, default=None)


def _events(account: Account, view: View) -> list[webhooks.Event]:
    lately = view.now - RECENT
    return [event for event in view.events if event.app_id == account.app.id and event.received_at > lately]


def _found(entry: audit.Entry) -> str:
    return wording.describe_kinds(entry.facts.get("found", "a change"))


def _cause(account: Account) -> str:
    """Why events do not arrive, according to the last examination."""
    if account.examination is None or not account.troubles:
        return (
            "Either Stripe could not reach this portal, or the webhook was deleted, disabled or given a new "
            "secret at Stripe."
        )
    worst = sorted(account.troubles, key=lambda trouble: trouble.state is not doctor.State.RED)[0]
    return f"Last check, {ago(account.examination.at)}: {worst.title}. {worst.detail}"
