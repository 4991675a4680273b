"""Events. Source: https://docs.stripe.com/api/events."""

from app.simulator import lists
from app.simulator.errors import StripeError, exclusive, missing_resource
from app.simulator.shapes import JSON
from app.simulator.work import Call, operation

KEPT_FOR = 30 * 24 * 3600


@operation("GET /v1/events/{id}")
def retrieve(call: Call) -> JSON:
    found = call.store.events.find(call.path["id"], call.account)
    if found is None or found["created"] < call.now - KEPT_FOR:
        raise missing_resource("event", call.path["id"], "id", status=404)
    return found


@operation("GET /v1/events")
def index(call: Call) -> JSON:
    """The last 30 days; `delivery_success` false means pending or failed at any endpoint."""
    given, moment = call.params, call.clock.precise()
    if "type" in given and "types" in given:
        raise exclusive("type", "types")
    if len(given.get("types", [])) > 20:
        raise StripeError("You may only specify up to 20 event types.", param="types")
    types = given.get("types") or [given.get("type", "*")]
    delivered = given.get("delivery_success")

    def fits(event: JSON) -> bool:
        return (
            event["created"] >= call.now - KEPT_FOR
            and call.note(event["id"]).get("listed", 0) <= moment
            and any(_matches(event["type"], kind) for kind in types)
            and (delivered is None or (event["pending_webhooks"] == 0) == delivered)
        )

    return lists.page(call, call.store.events, "event", fits)


@operation("POST /v1/events/{id}/retry")
def resend(call: Call) -> JSON:
    """Deliver an event once more, as `stripe events resend` asks: to one endpoint, or to all that take it."""
    event = retrieve(call)
    chosen = call.params.get("webhook_endpoint")
    takers = [one["id"] for one in call.takers(event["type"]) if chosen in {None, one["id"]}]
    if chosen is not None and not takers:
        raise missing_resource("webhook_endpoint", chosen, "webhook_endpoint")
    for endpoint in takers:
        call.queue(event["id"], endpoint)
    return event


def _matches(kind: str, wanted: str) -> bool:
    return wanted in {"*", kind} or (wanted.endswith(".*") and kind.startswith(wanted[:-1]))
