"""What the payer does on the hosted page. The simulator's methods do the same without a page.

Each action is one transaction. When it returns, the store has the change and the events.
"""

import copy

from app.simulator.protocol.work import Work, previous_attributes
from app.simulator.resources import customer_store, payment_method_store, tax_ids
from app.simulator.resources.checkout import sessions
from app.simulator.resources.checkout.forms import (
    AccountForm,
    CardForm,
    Payer,
    asks_address,
    asks_tax_id,
    known_email,
    read_account,
    read_card,
)
from app.simulator.resources.setup import outcomes
from app.simulator.store import JSON

SUCCEEDED = "succeeded"
DECLINED = "declined"
REQUIRES_ACTION = "requires_action"  # 3-D Secure, or micro-deposits of a completed session
INVALID = "invalid"  # errors in the form; nothing attempted
CLOSED = "closed"  # complete, expired, or unknown


def open_session(work: Work, key: str) -> JSON | None:
    """Return the session while its page takes input. A session in payment mode has no page."""
    session = work.store.checkout_sessions.find(key, work.account)
    if session is None or session["status"] != "open" or session["mode"] != "setup":
        return None
    customer = work.store.customers.get(session["customer"] or "")
    return None if customer and customer.get("deleted") else session


def submit(work: Work, key: str, form: CardForm | AccountForm, payer: Payer) -> str:
    """Submit the form of a session's page and return the outcome. Raises FormErrors."""
    with work.store.transaction():
        session = open_session(work, key)
        if session is None:
            return CLOSED
        billing = _billing(work, session, payer)
        redisplay = work.note(session["id"])["allow_redisplay"]
        if isinstance(form, CardForm):
            card, month, year = read_card(work, session, form, payer)
            method = payment_method_store.create_card(
                work, card, month, year, billing=billing, redisplay=redisplay
            )
            return _set_up(work, session, method, payer)
        number, routing = read_account(work, session, form, payer)
        method = payment_method_store.create_debit(
            work, form.kind, number, routing, billing=billing, redisplay=redisplay
        )
        return _set_up(work, session, method, payer, verify_later=form.verify_later)


def is_challenged(work: Work, session: JSON) -> bool:
    """Does the page wait for 3-D Secure?"""
    intent = work.store.setup_intents[session["setup_intent"]]
    return bool(session["status"] == "open" and intent["status"] == "requires_action")


def authenticate(work: Work, key: str, *, ok: bool) -> str:
    """Pass or fail the session's 3-D Secure challenge."""
    with work.store.transaction():
        session = open_session(work, key)
        if session is None or not is_challenged(work, session):
            return CLOSED
        intent = work.store.setup_intents[session["setup_intent"]]
        intent = outcomes.finish_challenge(work, intent, ok=ok)
        payer = Payer(**work.note(session["id"])["payer"])
        return _finish(work, session, intent, payer)


def _set_up(work: Work, session: JSON, method: JSON, payer: Payer, *, verify_later: bool = False) -> str:
    if session["customer"] is None and session["customer_creation"] == "always":
        session = _create_customer(work, session, payer)
    intent = work.store.setup_intents[session["setup_intent"]]
    intent = outcomes.attempt(work, intent, method, verify_later=verify_later)
    if is_challenged(work, session) and method["type"] == "card":
        work.add_note(session["id"], payer=vars(payer))
        return REQUIRES_ACTION
    return _finish(work, session, intent, payer)


def _finish(work: Work, session: JSON, intent: JSON, payer: Payer) -> str:
    """Complete the session unless the attempt failed."""
    if intent["last_setup_error"] is not None:
        return DECLINED
    email = known_email(work, session) or payer.email or None
    consents = session["consent_collection"] or {}
    agreed = "accepted" if consents.get("terms_of_service") == "required" else None
    details: JSON = {
        "address": _address(session, payer),
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": payer.name or None,
        "phone": _phone(session, payer),
        "tax_exempt": "none",
        "tax_ids": _tax_ids(session, payer),
    }
    sessions.complete(
        work,
        session,
        customer_details=details,
        consent={"promotions": None, "terms_of_service": agreed} if consents else None,
    )
    _update_customer(work, session, payer)
    return SUCCEEDED if intent["status"] == "succeeded" else REQUIRES_ACTION


def _update_customer(work: Work, session: JSON, payer: Payer) -> None:
    """Store an email address that Checkout had to ask for, and the fields in `customer_update`."""
    old = work.store.customers.get(session["customer"] or "")
    if old is None:
        return
    new = copy.deepcopy(old)
    fields = work.note(session["id"])["customer_update"]
    new["email"] = old["email"] or payer.email or None
    if fields.get("name") == "auto":
        new["name"] = payer.name or old["name"]
    if fields.get("address") == "auto":
        new["address"] = _address(session, payer)
    if new != old:
        work.put(work.store.customers, new)
        work.emit("customer.updated", new, previous_attributes(old, new))
    known = {each["value"] for each in tax_ids.held_by(work, old["id"])}
    for each in _tax_ids(session, payer):
        if each["value"] not in known and len(known) < tax_ids.MAX_TAX_IDS:
            tax_ids.add(work, new, each["type"], each["value"])


def _tax_ids(session: JSON, payer: Payer) -> list[JSON]:
    """Return what the payer entered, if the session asks for it."""
    kind = tax_ids.kind_of(payer.country, payer.tax_id) if asks_tax_id(session) else None
    return [{"type": kind, "value": payer.tax_id}] if kind else []


def _create_customer(work: Work, session: JSON, payer: Payer) -> JSON:
    """Create the customer of a session with `customer_creation=always`."""
    customer = customer_store.new_customer(work)
    customer |= {
        "email": session["customer_email"] or payer.email or None,
        "name": payer.name or None,
    }
    work.put(work.store.customers, customer)
    work.emit("customer.created", customer)
    intent = work.store.setup_intents[session["setup_intent"]]
    work.change(work.store.setup_intents, intent, customer=customer["id"])
    return work.change(work.store.checkout_sessions, session, customer=customer["id"])


def _billing(work: Work, session: JSON, payer: Payer) -> JSON:
    email = known_email(work, session) or payer.email or None
    return {
        "address": _address(session, payer),
        "email": email,
        "name": payer.name or None,
        "phone": _phone(session, payer),
        "tax_id": None,
    }


def _phone(session: JSON, payer: Payer) -> str | None:
    """Return the phone number if the session asks for one."""
    return payer.phone or None if session["phone_number_collection"]["enabled"] else None


def _address(session: JSON, payer: Payer) -> JSON:
    address: JSON = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    address |= {"country": payer.country, "postal_code": payer.postal_code or None}
    return address | {"line1": payer.line1, "city": payer.city} if asks_address(session) else address
