"""What the payer does on the hosted page, with or without the page.

Every action is one transaction: when it returns, the store was written and the events are queued.
"""

import copy
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from app.simulator import cards, checkout_sessions, payment_methods, setups, wallet
from app.simulator.shapes import JSON
from app.simulator.work import Work, previous

SUCCEEDED = "succeeded"
DECLINED = "declined"
REQUIRES_ACTION = "requires_action"  # 3-D Secure, or micro-deposits after a completed page
INVALID = "invalid"  # refused in the form, without an attempt
CLOSED = "closed"  # complete, expired, or never there


@dataclass(frozen=True)
class Payer:
    """What the form asks of a person besides the card or account."""

    name: str = "Jenny Rosen"
    email: str = ""
    country: str = "US"
    postal_code: str = ""
    phone: str = ""
    agrees: bool = True


@dataclass(frozen=True)
class CardForm:
    """The card as it was typed; it goes no further than this page."""

    number: str
    expiry: str
    cvc: str


@dataclass(frozen=True)
class AccountForm:
    """The bank account as it was typed. `number` is the IBAN for SEPA."""

    kind: str  # us_bank_account, sepa_debit, bacs_debit
    number: str
    routing: str = ""
    verify_later: bool = False


class Refused(Exception):
    """The form is wrong; `errors` says where, by field name."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors


def open_session(work: Work, key: str) -> JSON | None:
    """The session, if its page can still be used. One in payment mode has no page here."""
    session = work.store.checkout_sessions.find(key, work.account)
    if session is None or session["status"] != "open" or session["mode"] != "setup":
        return None
    customer = work.store.customers.get(session["customer"] or "")
    return None if customer and customer.get("deleted") else session


def submit(work: Work, key: str, form: CardForm | AccountForm, payer: Payer) -> str:
    """Press "Save" on the page of a session; raises Refused when the form itself is wrong."""
    with work.store.transaction():
        session = open_session(work, key)
        if session is None:
            return CLOSED
        billing = _billing(work, session, payer)
        redisplay = work.note(session["id"])["allow_redisplay"]
        if isinstance(form, CardForm):
            card, month, year = _read_card(work, session, form, payer)
            method = wallet.keep_card(work, card, month, year, billing=billing, redisplay=redisplay)
            return _set_up(work, session, method, payer)
        number, routing = _read_account(work, session, form, payer)
        method = wallet.keep_debit(work, form.kind, number, routing, billing=billing, redisplay=redisplay)
        return _set_up(work, session, method, payer, verify_later=form.verify_later)


def challenged(work: Work, session: JSON) -> bool:
    """Whether the page waits for the payer's bank (3-D Secure)."""
    intent = work.store.setup_intents[session["setup_intent"]]
    return bool(session["status"] == "open" and intent["status"] == "requires_action")


def authenticate(work: Work, key: str, *, ok: bool) -> str:
    """End the challenge of a session, well or badly."""
    with work.store.transaction():
        session = open_session(work, key)
        if session is None or not challenged(work, session):
            return CLOSED
        intent = work.store.setup_intents[session["setup_intent"]]
        intent = setups.authenticated(work, intent, ok=ok)
        payer = Payer(**work.note(session["id"])["payer"])
        return _finish(work, session, intent, payer)


def _set_up(work: Work, session: JSON, method: JSON, payer: Payer, *, verify_later: bool = False) -> str:
    if session["customer"] is None and session["customer_creation"] == "always":
        session = _create_customer(work, session, payer)
    intent = work.store.setup_intents[session["setup_intent"]]
    intent = setups.attempt(work, intent, method, verify_later=verify_later)
    if challenged(work, session) and method["type"] == "card":
        work.remark(session["id"], payer=vars(payer))
        return REQUIRES_ACTION
    return _finish(work, session, intent, payer)


def _finish(work: Work, session: JSON, intent: JSON, payer: Payer) -> str:
    """Complete the session unless the attempt failed."""
    if intent["last_setup_error"] is not None:
        return DECLINED
    email = _known_email(work, session) or payer.email or None
    consents = session["consent_collection"] or {}
    agreed = "accepted" if consents.get("terms_of_service") == "required" else None
    details: JSON = {
        "address": _address(payer),
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": payer.name or None,
        "phone": _phone(session, payer),
        "tax_exempt": "none",
        "tax_ids": [],
    }
    checkout_sessions.complete(
        work,
        session,
        customer_details=details,
        consent={"promotions": None, "terms_of_service": agreed} if consents else None,
    )
    _update_customer(work, session, payer)
    return SUCCEEDED if intent["status"] == "succeeded" else REQUIRES_ACTION


def _update_customer(work: Work, session: JSON, payer: Payer) -> None:
    """Checkout stores an email address it had to ask for, and what `customer_update` names."""
    old = work.store.customers.get(session["customer"] or "")
    if old is None:
        return
    new = copy.deepcopy(old)
    wanted = work.note(session["id"])["customer_update"]
    new["email"] = old["email"] or payer.email or None
    if wanted.get("name") == "auto":
        new["name"] = payer.name or old["name"]
    if wanted.get("address") == "auto":
        new["address"] = _address(payer)
    if new != old:
        work.keep(work.store.customers, new)
        work.emit("customer.updated", new, previous(old, new))


def _create_customer(work: Work, session: JSON, payer: Payer) -> JSON:
    """`customer_creation=always`: the customer comes into being with the payment method."""
    customer = wallet.new_customer(work)
    customer |= {
        "email": session["customer_email"] or payer.email or None,
        "name": payer.name or None,
    }
    work.keep(work.store.customers, customer)
    work.emit("customer.created", customer)
    intent = work.store.setup_intents[session["setup_intent"]]
    work.change(work.store.setup_intents, intent, customer=customer["id"])
    return work.change(work.store.checkout_sessions, session, customer=customer["id"])


def _read_card(work: Work, session: JSON, form: CardForm, payer: Payer) -> tuple[cards.Card, int, int]:
    errors = _person_errors(work, session, payer)
    number = re.sub(r"[\s-]", "", form.number)
    card = cards.CARDS.get(number)
    if not re.fullmatch(r"[0-9]{12,19}", number):
        errors["card_number"] = "Your card number is incomplete."
    elif not cards.has_check_digit(number):
        errors["card_number"] = "Your card number is invalid."
    elif card is None:
        errors["card_number"] = "This is no test card. The simulator takes no other, so it kept nothing."
    month, year = _read_expiry(form.expiry, work.now, errors)
    wanted = card.cvc_length if card else 3
    if not re.fullmatch(rf"[0-9]{{{wanted}}}", form.cvc.strip()):
        errors["cvc"] = f"Your card's security code has {wanted} digits."
    if errors or card is None:
        raise Refused(errors)
    return card, month, year


def _read_expiry(text: str, now: int, errors: dict[str, str]) -> tuple[int, int]:
    """12/30, 12 / 30, 1230 and 12/2030 are one month."""
    found = re.fullmatch(r"\s*([0-9]{1,2})\s*[/-]?\s*(20)?([0-9]{2})\s*", text)
    month, year = (int(found[1]), 2000 + int(found[3])) if found else (0, 0)
    if not found or not 1 <= month <= 12:
        errors["expiry"] = "Your card's expiration date is incomplete."
    elif cards.is_past(month, year, now):
        errors["expiry"] = "Your card's expiration date is in the past."
    elif year > datetime.fromtimestamp(now, UTC).year + 50:
        errors["expiry"] = "Your card's expiration year is invalid."
    return month, year


def _read_account(work: Work, session: JSON, form: AccountForm, payer: Payer) -> tuple[str, str]:
    errors = _person_errors(work, session, payer)
    number = re.sub(r"[\s-]", "", form.number).upper()
    routing = re.sub(r"[\s-]", "", form.routing)
    wanted = payment_methods.TEST_ACCOUNTS[form.kind]
    if number != wanted.number:
        errors["account_number"] = f"Use the test account {wanted.shown}: no other is taken here."
    if routing != wanted.routing:
        errors["routing_number"] = f"Use the test number {wanted.routing}: no other is taken here."
    if errors:
        raise Refused(errors)
    return number, routing


def _person_errors(work: Work, session: JSON, payer: Payer) -> dict[str, str]:
    errors = {}
    if not payer.name.strip():
        errors["name"] = "Your name is missing."
    if not _known_email(work, session) and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", payer.email):
        errors["email"] = "Your email address is incomplete."
    if session["phone_number_collection"]["enabled"] and not payer.phone.strip():
        errors["phone"] = "Your phone number is missing."
    consents = session["consent_collection"] or {}
    if consents.get("terms_of_service") == "required" and not payer.agrees:
        errors["agrees"] = "Please agree to the terms of service to go on."
    return errors


def _known_email(work: Work, session: JSON) -> str | None:
    customer = work.store.customers.get(session["customer"] or "", {})
    known: str | None = customer.get("email") or session["customer_email"]
    return known


def _billing(work: Work, session: JSON, payer: Payer) -> JSON:
    email = _known_email(work, session) or payer.email or None
    return {
        "address": _address(payer),
        "email": email,
        "name": payer.name or None,
        "phone": _phone(session, payer),
        "tax_id": None,
    }


def _phone(session: JSON, payer: Payer) -> str | None:
    """Asked for only when the session wants it."""
    return payer.phone or None if session["phone_number_collection"]["enabled"] else None


def _address(payer: Payer) -> JSON:
    address: JSON = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    return address | {"country": payer.country, "postal_code": payer.postal_code or None}
