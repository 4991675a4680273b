"""How a browser came to a customer's billing page."""

from enum import StrEnum


class Way(StrEnum):
    """What let a browser in."""

    SIGNUP = "signup"  # it signed the customer up
    LINK = "link"  # it opened an onboarding link, which may have been forwarded
