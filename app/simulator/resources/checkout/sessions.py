"""Checkout Sessions in setup mode. Source: https://docs.stripe.com/api/checkout/sessions."""

from app.simulator.protocol import lists
from app.simulator.protocol.call import Call, operation
from app.simulator.protocol.errors import StripeError, missing_parameter, missing_resource
from app.simulator.protocol.fields import merge_metadata
from app.simulator.protocol.work import Work
from app.simulator.resources import customer_store
from app.simulator.resources.checkout import products
from app.simulator.resources.checkout.checks import check_setup, check_urls, expiry_of
from app.simulator.resources.checkout.new_session import new_session
from app.simulator.resources.setup import intents, outcomes
from app.simulator.resources.setup.new_intent import open_intent
from app.simulator.store import JSON


def in_path(call: Call) -> JSON:
    """Return the session of the path. Raises StripeError (404)."""
    found = call.store.checkout_sessions.find(call.path["session"], call.account)
    if found is None:
        name = call.path["session"]
        raise missing_resource("checkout.session", name, "session", status=404)
    return found


@operation("POST /v1/checkout/sessions")
def create(call: Call) -> JSON:
    given = call.params
    if given.get("mode") == "payment":
        return _open_purchase(call)
    check_setup(call)
    customer = customer_store.find_customer(call, given.get("customer"))
    expires = expiry_of(call)
    currency = given.get("currency")
    has_types = given.get("allowed_payment_method_types") or given.get("payment_method_types")
    if currency is None and not has_types:
        raise missing_parameter("currency")
    types = intents.enabled_types(given, currency)
    data = given.get("setup_intent_data", {})
    intent = open_intent(
        call,
        types=types,
        customer=given.get("customer"),
        description=data.get("description"),
        metadata=merge_metadata({}, data.get("metadata"), "setup_intent_data[metadata]"),
    )
    session = new_session(call, customer, intent, expires)
    call.add_note(intent["id"], checkout_session=session["id"])
    call.add_note(
        session["id"],
        customer_update=given.get("customer_update", {}),
        allow_redisplay=given.get("payment_method_data", {}).get("allow_redisplay", "limited"),
    )
    return call.put(call.store.checkout_sessions, session)


def _open_purchase(call: Call) -> JSON:
    """Open a session in payment mode. It has no page: `payment_pages` completes it."""
    check_urls(call.params)
    no_intent = {
        "id": None,
        "payment_method_types": ["card"],
        "payment_method_configuration_details": None,
    }
    session = new_session(call, None, no_intent, expiry_of(call)) | products.purchase(call)
    return call.put(call.store.checkout_sessions, session)


@operation("GET /v1/checkout/sessions/{session}")
def retrieve(call: Call) -> JSON:
    return in_path(call)


@operation("POST /v1/checkout/sessions/{session}")
def update(call: Call) -> JSON:
    session = in_path(call)
    for name in call.params:
        if name != "metadata":
            message = f"{name} of a Checkout Session in setup mode cannot be updated."
            raise StripeError(message, param=name)
    metadata = merge_metadata(session["metadata"], call.params.get("metadata"))
    return call.change(call.store.checkout_sessions, session, metadata=metadata)


@operation("POST /v1/checkout/sessions/{session}/expire")
def expire_now(call: Call) -> JSON:
    session = in_path(call)
    if session["status"] != "open":
        raise StripeError(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has '
            f"a status of `{session['status']}`.",
        )
    return expire(call, session)


@operation("GET /v1/checkout/sessions/{session}/line_items")
def index_line_items(call: Call) -> JSON:
    """Return an empty list: a session in setup mode has no items."""
    in_path(call)
    return lists.page(call, call.store.checkout_sessions, "item", lambda _: False)


@operation("GET /v1/checkout/sessions")
def index(call: Call) -> JSON:
    given = call.params
    filters = {
        name: given[name]
        for name in ("customer", "status", "payment_intent", "payment_link", "subscription")
        if name in given
    }
    email = given.get("customer_details", {}).get("email")

    def matches(session: JSON) -> bool:
        details = session["customer_details"] or {}
        is_same = all(session[name] == value for name, value in filters.items())
        return is_same and (email is None or details.get("email") == email)

    customer = given.get("customer")
    return lists.page(call, call.store.checkout_sessions, "checkout.session", matches, customer=customer)


def expire(work: Work, session: JSON) -> JSON:
    """Expire an open session and cancel its SetupIntent."""
    expired = work.change(work.store.checkout_sessions, session, status="expired", url=None)
    if session["setup_intent"] is not None:
        outcomes.cancel(work, work.store.setup_intents[session["setup_intent"]], "abandoned")
    work.emit("checkout.session.expired", expired)
    return expired


def complete(work: Work, session: JSON, **fields: object) -> JSON:
    """Complete a session. Its SetupIntent may still wait, as for micro-deposits."""
    completed = work.change(work.store.checkout_sessions, session, status="complete", url=None, **fields)
    work.emit("checkout.session.completed", completed)
    return completed
