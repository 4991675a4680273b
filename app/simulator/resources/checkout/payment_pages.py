"""An API that Stripe does not document: the Stripe CLI pays a Checkout Session with it.

It answers what `stripe trigger checkout.session.completed` sends. The simulator moves no money. It completes
the session and emits the event.
"""

from app.simulator.protocol.call import Call, operation
from app.simulator.protocol.errors import StripeError, missing_resource
from app.simulator.resources.checkout import sessions
from app.simulator.store import JSON


@operation("GET /v1/payment_pages/{session}")
def retrieve(call: Call) -> JSON:
    return sessions.in_path(call)


@operation("POST /v1/payment_pages/{session}/confirm")
def confirm(call: Call) -> JSON:
    session = sessions.in_path(call)
    if session["status"] != "open" or session["mode"] != "payment":
        raise StripeError("This Checkout Session can't be paid for.")
    method = call.store.payment_methods.find(call.params["payment_method"], call.account)
    if method is None:
        raise missing_resource("payment_method", call.params["payment_method"], "payment_method")
    billing = method["billing_details"]
    details = {name: billing[name] for name in ("address", "email", "name", "phone")}
    no_tax: JSON = {"business_name": None, "individual_name": None, "tax_exempt": "none", "tax_ids": []}
    return sessions.complete(call, session, payment_status="paid", customer_details=details | no_tax)
