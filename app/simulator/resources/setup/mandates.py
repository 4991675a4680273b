"""Mandates of bank debits. Source: https://docs.stripe.com/api/mandates."""

import copy

from app.simulator.protocol.call import Call, operation
from app.simulator.protocol.errors import missing_resource
from app.simulator.protocol.work import Work
from app.simulator.store import JSON, ids


@operation("GET /v1/mandates/{mandate}")
def retrieve(call: Call) -> JSON:
    found = call.store.mandates.find(call.path["mandate"], call.account)
    if found is None:
        raise missing_resource("mandate", call.path["mandate"], "mandate", status=404)
    return found


def create(work: Work, method: JSON) -> str:
    """Create the mandate of a bank debit and return its id. A Bacs mandate is pending at first."""
    kind = method["type"]
    key = work.new_id("mandate")
    reference = ids.random_text(15).upper()
    details: dict[str, JSON] = {
        "us_bank_account": {},
        "sepa_debit": {"reference": reference, "url": f"{work.public_url}/c/mandate/{key}"},
        "bacs_debit": {
            "display_name": None,
            "network_status": "pending",
            "reference": reference,
            "revocation_reason": None,
            "service_user_number": None,
            "url": f"{work.public_url}/c/mandate/{key}",
        },
    }
    mandate = {
        "id": key,
        "object": "mandate",
        "customer_acceptance": {
            "accepted_at": work.now,
            "online": {"ip_address": "127.0.0.1", "user_agent": "Mozilla/5.0"},
            "type": "online",
        },
        "livemode": False,
        "multi_use": {},
        "payment_method": method["id"],
        "payment_method_details": {"type": kind, kind: details[kind]},
        "status": "pending" if kind == "bacs_debit" else "active",
        "type": "multi_use",
    }
    work.put(work.store.mandates, mandate)
    return key


def settle(work: Work, mandate: JSON, status: str) -> JSON:
    """Record the bank's decision: "active" accepts the mandate, "inactive" revokes it."""
    if mandate["status"] == status:
        return mandate
    settled = copy.deepcopy(mandate)
    settled["status"] = status
    if "bacs_debit" in settled["payment_method_details"]:
        network = "accepted" if status == "active" else "revoked"
        settled["payment_method_details"]["bacs_debit"]["network_status"] = network
    work.put(work.store.mandates, settled)
    work.emit("mandate.updated", settled, {"status": mandate["status"]})
    return settled
