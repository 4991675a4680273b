"""SetupAttempts. Source: https://docs.stripe.com/api/setup_attempts."""

from app.simulator.protocol import lists
from app.simulator.protocol.call import Call, operation
from app.simulator.protocol.errors import missing_resource
from app.simulator.protocol.work import Work
from app.simulator.resources import cards, payment_method_store
from app.simulator.resources.cards import Card
from app.simulator.store import JSON


@operation("GET /v1/setup_attempts")
def index_attempts(call: Call) -> JSON:
    intent = call.params["setup_intent"]
    if call.store.setup_intents.find(intent, call.account) is None:
        raise missing_resource("setupintent", intent, "setup_intent")
    return lists.page(
        call,
        call.store.setup_attempts,
        "setupattempt",
        lambda tried: bool(tried["setup_intent"] == intent),
    )


def record(work: Work, intent: JSON, method: JSON, status: str, error: JSON | None = None) -> str:
    """Record an attempt, or the outcome of the one that waited for the payer. Return its id."""
    earlier = work.store.setup_attempts.get(intent["latest_attempt"] or "")
    key: str = work.new_id("setatt")
    created = work.now
    if earlier and earlier["status"] == "requires_action" and earlier["payment_method"] == method["id"]:
        key, created = earlier["id"], earlier["created"]
    work.put(
        work.store.setup_attempts,
        {
            "id": key,
            "object": "setup_attempt",
            "application": None,
            "created": created,
            "customer": intent["customer"],
            "customer_account": None,
            "flow_directions": None,
            "livemode": False,
            "on_behalf_of": None,
            "payment_method": method["id"],
            "payment_method_details": _details(work, method, status, error),
            "setup_error": error,
            "setup_intent": intent["id"],
            "status": status,
            "usage": intent["usage"],
        },
    )
    return key


def _details(work: Work, method: JSON, status: str, error: JSON | None) -> JSON:
    if method["type"] != "card":
        return {"type": method["type"], method["type"]: {}}
    shown = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding")
    details = {name: method["card"][name] for name in (*shown, "last4", "wallet")}
    challenge = _three_d_secure(payment_method_store.test_card(work, method), status, error)
    details |= {"network": method["card"]["brand"], "three_d_secure": challenge}
    return {"type": "card", "card": details}


def _three_d_secure(card: Card | None, status: str, error: JSON | None) -> JSON | None:
    if card is None or not card.challenge or status == "requires_action":
        return None
    refused = error is not None and error["code"] == cards.AUTHENTICATION.code
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": None if refused else "05",
        "result": "failed" if refused else "authenticated",
        "result_reason": "rejected" if refused else None,
        "transaction_id": None,
        "version": "2.2.0",
    }
