"""Tax ids of customers. Source: https://docs.stripe.com/api/tax_ids."""

import re

from app.simulator.protocol import lists
from app.simulator.protocol.call import Call, operation
from app.simulator.protocol.errors import StripeError, missing_resource
from app.simulator.protocol.work import Work
from app.simulator.store import JSON

MAX_TAX_IDS = 5  # of one customer
FORMATS = {  # of the types that people try first
    "eu_vat": r"[A-Z]{2}[0-9A-Z+*]{2,12}",
    "gb_vat": r"(GB|XI)([0-9]{9}|[0-9]{12}|(GD|HA)[0-9]{3})",
    "ch_vat": r"CHE-?[0-9]{3}\.?[0-9]{3}\.?[0-9]{3} ?(MWST|TVA|IVA)",
    "us_ein": r"[0-9]{2}-[0-9]{7}",
    "jp_trn": r"T[0-9]{13}",
}
KINDS = {"GB": "gb_vat", "CH": "ch_vat", "US": "us_ein", "JP": "jp_trn"}  # of other countries: eu_vat


def kind_of(country: str, value: str) -> str | None:
    """Return the type of a payer's tax id, by the payer's country. None: the number is not valid there."""
    kind = KINDS.get(country, "eu_vat")
    return kind if re.fullmatch(FORMATS[kind], value) else None


def add(work: Work, customer: JSON, kind: str, value: str, *, param: str = "value") -> JSON:
    """Give a customer a tax id. Raises StripeError for a number that its type does not allow."""
    if not re.fullmatch(FORMATS.get(kind, r".*[0-9A-Za-z].*"), value):
        raise StripeError(f"Invalid value for {kind}.", code="tax_id_invalid", param=param)
    if len(held_by(work, customer["id"])) >= MAX_TAX_IDS:
        raise StripeError(f"A customer can have {MAX_TAX_IDS} tax IDs.", param=param)
    prefix = value[:2] if kind == "eu_vat" else kind[:2].upper()
    tax_id: JSON = {
        "id": work.new_id("txi"),
        "object": "tax_id",
        "country": {"EL": "GR"}.get(prefix, prefix),
        "created": work.now,
        "customer": customer["id"],
        "customer_account": None,
        "livemode": False,
        "owner": {"type": "customer", "customer": customer["id"]},
        "type": kind,
        "value": value,
        "verification": {"status": "pending", "verified_address": None, "verified_name": None},
    }
    work.put(work.store.tax_ids, tax_id)
    work.emit("customer.tax_id.created", tax_id)
    return tax_id


def held_by(work: Work, customer: str) -> list[JSON]:
    """Return the tax ids of a customer, newest first."""
    return [each for each in work.store.tax_ids.newest(work.account) if each["customer"] == customer]


@operation("POST /v1/customers/{customer}/tax_ids")
def create(call: Call) -> JSON:
    return add(call, _customer(call), call.params["type"], call.params["value"])


@operation("GET /v1/customers/{customer}/tax_ids")
def index(call: Call) -> JSON:
    customer = _customer(call)["id"]
    return lists.page(call, call.store.tax_ids, "tax_id", lambda each: bool(each["customer"] == customer))


@operation("GET /v1/customers/{customer}/tax_ids/{id}")
def retrieve(call: Call) -> JSON:
    found = call.store.tax_ids.find(call.path["id"], call.account)
    if found is None or found["customer"] != _customer(call)["id"]:
        raise missing_resource("tax_id", call.path["id"], "id", status=404)
    return found


@operation("DELETE /v1/customers/{customer}/tax_ids/{id}")
def delete(call: Call) -> JSON:
    tax_id = retrieve(call)
    del call.store.tax_ids[tax_id["id"]]
    call.emit("customer.tax_id.deleted", tax_id)
    return {"id": tax_id["id"], "object": "tax_id", "deleted": True}


def _customer(call: Call) -> JSON:
    found = call.store.customers.find(call.path["customer"], call.account)
    if found is None or found.get("deleted"):
        raise missing_resource("customer", call.path["customer"], "id", status=404)
    return found
