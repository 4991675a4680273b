"""Stripe's test cards and their behaviour. Source: https://docs.stripe.com/testing.

The simulator takes no other numbers, so no real card can get into its store.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Decline:
    """A decline: Stripe's codes, and the message for the payer."""

    code: str
    decline_code: str | None
    message: str


_DECLINED = "Your card was declined."
GENERIC = Decline("card_declined", "generic_decline", _DECLINED)
INSUFFICIENT = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
LOST = Decline("card_declined", "lost_card", _DECLINED)
STOLEN = Decline("card_declined", "stolen_card", _DECLINED)
EXPIRED = Decline("expired_card", None, "Your card has expired.")
CVC = Decline("incorrect_cvc", None, "Your card's security code is incorrect.")
PROCESSING = Decline(
    "processing_error",
    None,
    "An error occurred while processing your card. Try again in a little bit.",
)
AUTHENTICATION = Decline(
    "setup_intent_authentication_failure",
    None,
    "We are unable to authenticate your payment method. Please choose a different payment method and "
    "try again.",
)


@dataclass(frozen=True)
class Card:
    """A test card, and what happens when the payer saves it."""

    number: str
    brand: str
    decline: Decline | None = None
    challenge: bool = False  # 3-D Secure first
    funding: str = "credit"
    names: tuple[str, ...] = ()  # pm_card_<name> and tok_<name>

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.number.encode()).hexdigest()[:16]

    @property
    def cvc_length(self) -> int:
        return 4 if self.brand == "amex" else 3


CARDS = {
    card.number: card
    for card in (
        Card("4242424242424242", "visa", names=("visa",)),
        Card("4000056655665556", "visa", funding="debit", names=("visa_debit",)),
        Card("5555555555554444", "mastercard", names=("mastercard",)),
        Card("378282246310005", "amex", names=("amex",)),
        Card("4000000000000341", "visa", names=("chargeCustomerFail",)),
        Card("4000000000000002", "visa", GENERIC, names=("chargeDeclined", "visa_chargeDeclined")),
        Card("4000000000009995", "visa", INSUFFICIENT, names=("chargeDeclinedInsufficientFunds",)),
        Card("4000000000009987", "visa", LOST, names=("chargeDeclinedLostCard",)),
        Card("4000000000009979", "visa", STOLEN, names=("chargeDeclinedStolenCard",)),
        Card("4000000000000069", "visa", EXPIRED, names=("chargeDeclinedExpiredCard",)),
        Card("4000000000000127", "visa", CVC, names=("chargeDeclinedIncorrectCvc",)),
        Card("4000000000000119", "visa", PROCESSING, names=("chargeDeclinedProcessingError",)),
        Card("4000002500003155", "visa", challenge=True, names=("authenticationRequiredOnSetup",)),
        Card("4000002760003184", "visa", challenge=True, names=("authenticationRequired",)),
        Card("4000000000003220", "visa", challenge=True, names=("threeDSecure2Required",)),
        Card(
            "4000008260003178",
            "visa",
            challenge=True,
            names=("authenticationRequiredChargeDeclinedInsufficientFunds",),
        ),
        Card(
            "4000008400001629",
            "visa",
            GENERIC,
            challenge=True,
            names=("threeDSecureRequiredChargeDeclined",),
        ),
        Card("4000003800000446", "visa", names=("authenticationRequiredSetupForOffSession",)),
    )
}

_BY_NAME = {name: card for card in CARDS.values() for name in card.names}


def find_by_name(token: str) -> Card | None:
    """Return the card with a name such as pm_card_visa or tok_visa."""
    for prefix in ("pm_card_", "tok_"):
        if token.startswith(prefix):
            return _BY_NAME.get(token.removeprefix(prefix))
    return None


def has_check_digit(number: str) -> bool:
    """Is the last digit right (Luhn)?"""
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def is_expired(month: int, year: int, now: int) -> bool:
    """Is a card expired that is valid until the end of this month?"""
    today = datetime.fromtimestamp(now, UTC)
    return (year, month) < (today.year, today.month)
