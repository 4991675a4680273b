"""Why a payment method was refused, in plain words, and what to answer to questions.

Codes are Stripe's: https://docs.stripe.com/declines/codes and https://docs.stripe.com/error-codes.
"""

from typing import Any

from app.core.values import frozen
from app.web.languages import lazy_gettext as _


@frozen
class Decline:
    """One reason: what it means, and what to do. Both are whole sentences."""

    means: str
    advice: str  # for an operator

    @property
    def customer_advice(self) -> str:
        """What the customer can do, in words that keep the bank's reason to ourselves where we must."""
        return str(FOR_CUSTOMERS[self.advice])


OTHER_CARD = "Send a link, so that the customer can use another card."
ASK_BANK = "The customer can ask their bank why, or use another card: send a link."
TYPE_AGAIN = "A typing mistake, most likely. Send a link, so that the customer can type it again."
LATER = "It may work in a few hours with the same card: send a link."
DISCREET = "Don't tell the customer which reason the bank gave; say that it was declined. " + OTHER_CARD
CONFIRM = "Send a link; the customer must confirm with their bank's app or code when it is asked for."
BANK_DETAILS = "Send a link, so that the customer can give another bank account or a card."

FOR_CUSTOMERS: dict[str, Any] = {
    OTHER_CARD: _("Use another card or a bank account."),
    ASK_BANK: _("Use another card or a bank account. Your bank can tell you why it declined this one."),
    TYPE_AGAIN: _("Try again, and check each detail as you type it."),
    LATER: _("Try the same card again in a few hours, or use another one now."),
    DISCREET: _("Use another card or a bank account."),
    CONFIRM: _("Try again, and confirm it in your bank’s app or with the code that your bank sends you."),
    BANK_DETAILS: _("Use another bank account or a card."),
}

# What Stripe's own sentences say, which are in English, by the code. As in Stripe's, nobody learns that a
# card is reported: such a decline has the code `card_declined`, too.
DECLINED = _("Your card was declined.")
NO_MONEY = _("There isn’t enough money on your card.")
WRONG_NUMBER = _("The card number isn’t right.")
WRONG_CVC = _("The security code isn’t right.")
WRONG_EXPIRY = _("The expiry date isn’t right.")
UNFIT = _("Your card can’t be used for payments of this kind.")
UNPROCESSED = _("Your card couldn’t be processed.")
UNCONFIRMED = _("Your bank couldn’t confirm that it’s you.")
STRIPES_WORDS: dict[str, Any] = {
    "authentication_required": UNCONFIRMED,
    "card_declined": DECLINED,
    "card_not_supported": UNFIT,
    "expired_card": _("Your card has expired."),
    "incorrect_cvc": WRONG_CVC,
    "incorrect_number": WRONG_NUMBER,
    "insufficient_funds": NO_MONEY,
    "invalid_cvc": WRONG_CVC,
    "invalid_expiry_month": WRONG_EXPIRY,
    "invalid_expiry_year": WRONG_EXPIRY,
    "invalid_number": WRONG_NUMBER,
    "issuer_not_available": UNPROCESSED,
    "processing_error": UNPROCESSED,
    "reenter_transaction": UNPROCESSED,
    "setup_intent_authentication_failure": UNCONFIRMED,
}

UNKNOWN = "The bank declined without giving a reason."

CODES: dict[str, Decline] = {
    "account_closed": Decline("The bank account is closed.", BANK_DETAILS),
    "approve_with_id": Decline("The bank could not approve it just now.", LATER),
    "authentication_required": Decline("The bank wants the customer to confirm (3-D Secure).", CONFIRM),
    "bank_account_declined": Decline("The bank account can't be used for debits.", BANK_DETAILS),
    "bank_account_unusable": Decline("The bank account can't be used for debits.", BANK_DETAILS),
    "call_issuer": Decline(UNKNOWN, ASK_BANK),
    "card_decline_rate_limit_exceeded": Decline(
        "This card was declined so often that Stripe stops asking the bank for a day.", OTHER_CARD
    ),
    "card_declined": Decline(UNKNOWN, ASK_BANK),
    "card_not_supported": Decline("This card can't be used for payments of this kind.", OTHER_CARD),
    "card_velocity_exceeded": Decline("The card has reached its limit.", LATER),
    "currency_not_supported": Decline("The card does not take this currency.", OTHER_CARD),
    "debit_not_authorized": Decline("The account holder has not allowed the debit.", BANK_DETAILS),
    "do_not_honor": Decline(UNKNOWN, ASK_BANK),
    "do_not_try_again": Decline("The bank declined and wants no other try with this card.", OTHER_CARD),
    "duplicate_transaction": Decline("The bank mistook it for a duplicate of a recent request.", LATER),
    "expired_card": Decline("The card has expired.", OTHER_CARD),
    "fraudulent": Decline("The bank suspects fraud.", DISCREET),
    "generic_decline": Decline(UNKNOWN, ASK_BANK),
    "highest_risk_level": Decline("Stripe's fraud protection blocked the card.", DISCREET),
    "incorrect_address": Decline("The address does not match the card.", TYPE_AGAIN),
    "incorrect_cvc": Decline("The security code (CVC) is wrong.", TYPE_AGAIN),
    "incorrect_number": Decline("The card number is wrong.", TYPE_AGAIN),
    "incorrect_pin": Decline("The PIN is wrong.", TYPE_AGAIN),
    "incorrect_zip": Decline("The postal code does not match the card.", TYPE_AGAIN),
    "insufficient_funds": Decline("The bank says there is not enough money on the card.", OTHER_CARD),
    "invalid_account": Decline("The card or its account is not valid.", ASK_BANK),
    "invalid_amount": Decline("The bank does not allow this amount.", ASK_BANK),
    "invalid_cvc": Decline("The security code (CVC) is wrong.", TYPE_AGAIN),
    "invalid_expiry_month": Decline("The expiry month is wrong.", TYPE_AGAIN),
    "invalid_expiry_year": Decline("The expiry year is wrong.", TYPE_AGAIN),
    "invalid_number": Decline("The card number is wrong.", TYPE_AGAIN),
    "invalid_pin": Decline("The PIN is wrong.", TYPE_AGAIN),
    "issuer_not_available": Decline("The bank could not be reached.", LATER),
    "lost_card": Decline("The card is reported lost.", DISCREET),
    "merchant_blacklist": Decline("The card is on a block list in your Stripe account.", DISCREET),
    "mobile_device_authentication_required": Decline(
        "The bank wants the customer to confirm on a phone.", CONFIRM
    ),
    "new_account_information_available": Decline("The card has been replaced by a newer one.", OTHER_CARD),
    "no_account": Decline("The bank does not know this account.", BANK_DETAILS),
    "no_action_taken": Decline(UNKNOWN, ASK_BANK),
    "not_permitted": Decline("The bank does not permit it.", ASK_BANK),
    "offline_pin_required": Decline("The card needs its PIN, which can't be typed online.", OTHER_CARD),
    "online_or_offline_pin_required": Decline(
        "The card needs its PIN, which can't be typed online.", OTHER_CARD
    ),
    "payment_method_customer_decline": Decline("The customer declined.", BANK_DETAILS),
    "payment_method_microdeposit_failed": Decline(
        "The bank sent the test payment back: the account or routing number is wrong.", BANK_DETAILS
    ),
    "payment_method_microdeposit_verification_amounts_invalid": Decline(
        "The amounts typed in are not those of the test payment.", TYPE_AGAIN
    ),
    "payment_method_microdeposit_verification_amounts_mismatch": Decline(
        "The amounts typed in are not those of the test payment.", TYPE_AGAIN
    ),
    "payment_method_microdeposit_verification_attempts_exceeded": Decline(
        "The test payment was typed in wrongly too often.", BANK_DETAILS
    ),
    "payment_method_microdeposit_verification_descriptor_code_mismatch": Decline(
        "The code typed in is not that of the test payment.", TYPE_AGAIN
    ),
    "payment_method_microdeposit_verification_timeout": Decline(
        "The test payment was not confirmed within ten days.", BANK_DETAILS
    ),
    "pickup_card": Decline("The bank wants the card back: it may be lost or stolen.", DISCREET),
    "pin_try_exceeded": Decline("The PIN was wrong too often.", OTHER_CARD),
    "processing_error": Decline("Something went wrong between Stripe and the bank.", LATER),
    "reenter_transaction": Decline("The bank could not process it.", LATER),
    "restricted_card": Decline("The card is blocked.", DISCREET),
    "revocation_of_all_authorizations": Decline(
        "The customer told the bank to stop all payments on this card.", ASK_BANK
    ),
    "revocation_of_authorization": Decline("The customer told the bank to stop payments to you.", ASK_BANK),
    "security_violation": Decline(UNKNOWN, ASK_BANK),
    "service_not_allowed": Decline("The bank does not allow payments of this kind.", ASK_BANK),
    "setup_attempt_failed": Decline("The bank account could not be set up.", BANK_DETAILS),
    "setup_intent_authentication_failure": Decline(
        "The customer did not pass 3-D Secure: it failed, was cancelled or took too long.", CONFIRM
    ),
    "setup_intent_mandate_invalid": Decline("The mandate of the debit is not valid.", BANK_DETAILS),
    "setup_intent_setup_attempt_expired": Decline("The customer did not confirm in time.", CONFIRM),
    "stolen_card": Decline("The card is reported stolen.", DISCREET),
    "stop_payment_order": Decline("The customer told the bank to stop this payment.", ASK_BANK),
    "testmode_decline": Decline("A test card was used in live mode, or a real one in test mode.", OTHER_CARD),
    "transaction_not_allowed": Decline("The bank does not allow payments of this kind.", ASK_BANK),
    "try_again_later": Decline(UNKNOWN, LATER),
    "withdrawal_count_limit_exceeded": Decline("The card has reached its limit.", LATER),
}


def translate(error_code: str | None, decline_code: str | None) -> str | None:
    """Return what Stripe's sentence says, in the reader's language; None where we have no words for it."""
    for code in (decline_code, error_code):
        if code in STRIPES_WORDS:
            return str(STRIPES_WORDS[code])
    return None


def explain(error_code: str | None, decline_code: str | None) -> Decline:
    """What two codes of Stripe mean together; the bank's own, if there is one, says more."""
    for code in (decline_code, error_code):
        if code in CODES:
            return CODES[code]
    return Decline("It was declined for a reason that Stripe gives only as a code.", ASK_BANK)
