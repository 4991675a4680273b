"""How the Stripe CLI pays a Checkout Session without a browser: an API that Stripe does not document.

What it sends was read off `stripe trigger checkout.session.completed`. No money moves here: the session is
complete and its event is sent.
"""

from app.simulator import checkout_sessions
from app.simulator.errors import StripeError, missing_resource
from app.simulator.shapes import JSON
from app.simulator.work import Call, operation


@operation("GET /v1/payment_pages/{session}")
def retrieve(call: Call) -> JSON:
    return checkout_sessions.in_path(call)


@operation("POST /v1/payment_pages/{session}/confirm")
def confirm(call: Call) -> JSON:
    session = checkout_sessions.in_path(call)
    if session["status"] != "open" or session["mode"] != "payment":
        raise StripeError("This Checkout Session can't be paid for.")
    method = call.store.payment_methods.find(call.params["payment_method"], call.account)
    if method is None:
        raise missing_resource("payment_method", call.params["payment_method"], "payment_method")
    billing = method["billing_details"]
    details = {name: billing[name] for name in ("address", "email", "name", "phone")}
    nothing: JSON = {"business_name": None, "individual_name": None, "tax_exempt": "none", "tax_ids": []}
    return checkout_sessions.complete(
        call, session, payment_status="paid", customer_details=details | nothing
    )
