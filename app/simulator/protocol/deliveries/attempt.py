"""One attempt to deliver an event to an endpoint."""

import json

from app.simulator.protocol.deliveries.post import Send
from app.simulator.protocol.deliveries.signatures import signature_header
from app.simulator.protocol.faults.fault_settings import FaultSettings
from app.simulator.protocol.requests import versions
from app.simulator.store import JSON, Clock, Store, ids


def attempt(
    store: Store,
    clock: Clock,
    settings: FaultSettings,
    delivery: JSON,
    *,
    send: Send,
    retry_schedule: tuple[float, ...],
) -> None:
    """Post the event once and record the outcome. Plan another attempt after a failure."""
    account = store.deliveries.owner(delivery["id"])
    endpoint = store.webhook_endpoints.get(delivery["endpoint"])
    event = store.events.get(delivery["event"])
    number = delivery["tries"] + 1
    status, error = None, None
    is_gone = endpoint is None or event is None or endpoint["status"] != "enabled"
    if endpoint is None or event is None or is_gone:
        error = "The endpoint is gone."
    elif _is_dropped(settings, number):
        error = "Dropped by the fault settings."
    else:
        try:
            version = endpoint["api_version"] or store.accounts_version(account)
            body = _body(event, version, settings)
            headers = {
                "Content-Type": "application/json; charset=utf-8",
                "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
                "Stripe-Signature": signature_header(
                    store.notes[endpoint["id"]], body, now=clock.precise(), settings=settings
                ),
            }
            status = send(endpoint["url"], body, headers)
        except Exception as problem:  # noqa: BLE001 - any failure of `send` is a failed attempt
            error = f"{type(problem).__name__}: {problem}"[:200]
    outcome = {
        "event": delivery["event"],
        "endpoint": delivery["endpoint"],
        "try": number,
        "at": clock.now(),
        "status": status,
        "error": error,
    }
    is_taken = status is not None and 200 <= status < 300
    with store.transaction():
        store.tries.put("try_" + ids.random_text(16), outcome, account)
        if is_taken or is_gone or number > len(retry_schedule):
            store.deliveries.pop(delivery["id"], None)
        else:
            due = clock.precise() + retry_schedule[number - 1]
            store.deliveries.put(delivery["id"], delivery | {"tries": number, "due": due}, account)
        if is_taken:
            _count_delivered(store, delivery, account)


def _is_dropped(settings: FaultSettings, number: int) -> bool:
    return settings.drop_all or number <= settings.drop_first or settings.happens(settings.drop_rate)


def _count_delivered(store: Store, delivery: JSON, account: str) -> None:
    """Lower the event's `pending_webhooks` by one, unless this was a duplicate."""
    event = store.events[delivery["event"]]
    note = f"{delivery['event']}/{delivery['endpoint']}"
    if note not in store.notes:
        store.notes.put(note, {"delivered": True}, account)
        pending = max(event["pending_webhooks"] - 1, 0)
        store.events.put(event["id"], event | {"pending_webhooks": pending}, account)


def _body(event: JSON, version: str, settings: FaultSettings) -> bytes:
    rendered = versions.render_event(event, version)
    if settings.wrong_livemode:
        rendered["livemode"] = not rendered["livemode"]
    return json.dumps(rendered, indent=2).encode()
