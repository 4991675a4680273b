"""The forms of the hosted page, and the checks of what the payer enters."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from app.simulator.protocol.work import Work
from app.simulator.resources import cards, payment_methods, tax_ids
from app.simulator.store import JSON


@dataclass(frozen=True)
class Payer:
    """What the form asks for besides the card or account."""

    name: str = "Jenny Rosen"
    email: str = ""
    country: str = "US"
    postal_code: str = ""
    phone: str = ""
    line1: str = "27 Fredrick Ave"  # only a page that asks for the whole address uses it, and the city
    city: str = "Brothers"
    tax_id: str = ""
    agrees: bool = True


@dataclass(frozen=True)
class CardForm:
    """A card as the payer entered it. The store never holds it."""

    number: str
    expiry: str
    cvc: str


@dataclass(frozen=True)
class AccountForm:
    """A bank account as the payer entered it. For SEPA, `number` is the IBAN."""

    kind: str  # us_bank_account, sepa_debit, bacs_debit
    number: str
    routing: str = ""
    verify_later: bool = False


class FormErrors(Exception):
    """The form has errors, by field name."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors


def known_email(work: Work, session: JSON) -> str | None:
    """Return the email address that the page need not ask for."""
    customer = work.store.customers.get(session["customer"] or "", {})
    known: str | None = customer.get("email") or session["customer_email"]
    return known


def asks_address(session: JSON) -> bool:
    """Does the page ask for the whole billing address? Otherwise it asks for country and postal code."""
    return bool(session["billing_address_collection"] == "required")


def asks_tax_id(session: JSON) -> bool:
    """Does the page ask for a tax id? Nobody has to enter one."""
    return bool((session.get("tax_id_collection") or {}).get("enabled"))


def read_card(work: Work, session: JSON, form: CardForm, payer: Payer) -> tuple[cards.Card, int, int]:
    """Return the test card with its expiry month and year. Raises FormErrors."""
    errors = _payer_errors(work, session, payer)
    number = re.sub(r"[\s-]", "", form.number)
    card = cards.CARDS.get(number)
    if not re.fullmatch(r"[0-9]{12,19}", number):
        errors["card_number"] = "Your card number is incomplete."
    elif not cards.has_check_digit(number):
        errors["card_number"] = "Your card number is invalid."
    elif card is None:
        errors["card_number"] = "This is not a test card. The simulator takes only those, and stored nothing."
    month, year = _read_expiry(form.expiry, work.now, errors)
    length = card.cvc_length if card else 3
    if not re.fullmatch(rf"[0-9]{{{length}}}", form.cvc.strip()):
        errors["cvc"] = f"Your card's security code has {length} digits."
    if errors or card is None:
        raise FormErrors(errors)
    return card, month, year


def _read_expiry(text: str, now: int, errors: dict[str, str]) -> tuple[int, int]:
    """Take 12/30, 12 / 30, 1230 and 12/2030 as the same month."""
    found = re.fullmatch(r"\s*([0-9]{1,2})\s*[/-]?\s*(20)?([0-9]{2})\s*", text)
    month, year = (int(found[1]), 2000 + int(found[3])) if found else (0, 0)
    if not found or not 1 <= month <= 12:
        errors["expiry"] = "Your card's expiration date is incomplete."
    elif cards.is_expired(month, year, now):
        errors["expiry"] = "Your card's expiration date is in the past."
    elif year > datetime.fromtimestamp(now, UTC).year + 50:
        errors["expiry"] = "Your card's expiration year is invalid."
    return month, year


def read_account(work: Work, session: JSON, form: AccountForm, payer: Payer) -> tuple[str, str]:
    """Return the account's number and routing number. Raises FormErrors."""
    errors = _payer_errors(work, session, payer)
    number = re.sub(r"[\s-]", "", form.number).upper()
    routing = re.sub(r"[\s-]", "", form.routing)
    account = payment_methods.TEST_ACCOUNTS[form.kind]
    if number != account.number:
        errors["account_number"] = "This is not the test account. The simulator takes no other."
    if routing != account.routing:
        errors["routing_number"] = "This is not the test number. The simulator takes no other."
    if errors:
        raise FormErrors(errors)
    return number, routing


def _payer_errors(work: Work, session: JSON, payer: Payer) -> dict[str, str]:
    errors = {}
    if not payer.name.strip():
        errors["name"] = "Your name is missing."
    if not known_email(work, session) and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", payer.email):
        errors["email"] = "Your email address is incomplete."
    if session["phone_number_collection"]["enabled"] and not payer.phone.strip():
        errors["phone"] = "Your phone number is missing."
    if asks_tax_id(session) and payer.tax_id and not tax_ids.kind_of(payer.country, payer.tax_id):
        errors["tax_id"] = "Your tax ID is invalid in this country."
    if asks_address(session):
        parts = (("line1", "Your address is missing."), ("city", "Your city is missing."))
        errors |= {name: text for name, text in parts if not getattr(payer, name).strip()}
    consents = session["consent_collection"] or {}
    if consents.get("terms_of_service") == "required" and not payer.agrees:
        errors["agrees"] = "Please agree to the terms of service to continue."
    return errors
