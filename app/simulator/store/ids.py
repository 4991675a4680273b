"""Ids and secrets in Stripe's format, so that no caller learns to expect shorter ones."""

import secrets
import string

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_EPOCH = 426256548  # Stripe's ids hold the Unix time minus this, in base 62


def random_text(length: int) -> str:
    return "".join(secrets.choice(_DIGITS) for _ in range(length))


def dated_id(prefix: str, account: str, now: int) -> str:
    """Return an id such as seti_1UY0z6DemoAcct7QVAFIOeQJ: the time, the account, eight random characters."""
    rest, when = max(now - _EPOCH, 0), ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        when = _DIGITS[digit] + when
    return f"{prefix}_{when}{account[-10:]}{random_text(8)}"


def customer() -> str:
    return "cus_" + random_text(14)


def checkout_session() -> str:
    return "cs_test_a1" + random_text(56)


def request() -> str:
    return "req_" + random_text(14)


def webhook_secret() -> str:
    return "whsec_" + random_text(32)


def client_secret(owner: str) -> str:
    return f"{owner}_secret_{random_text(31)}"
