"""What kept Stripe's page from opening: for the log, and for the choice of the next page."""

import structlog

from app.core.errors import AppError
from app.core.secrets.sealing import Unsealable
from app.gateway import StripeUnavailable

log = structlog.get_logger("gangway.onboarding")


def is_in_doubt(error: AppError) -> bool:
    """Did Stripe give no answer, so that nobody knows whether it did what was asked? /return checks again."""
    return isinstance(error, StripeUnavailable) and error.is_unanswered


def log_cause(error: AppError) -> None:
    """Tell the log the cause, where the page says only that it can't be done now."""
    if isinstance(error, Unsealable):
        log.error("secret_not_opened", reason=error.detail)
    else:
        log.warning("payment_page_unavailable", cause=type(error).__name__, reason=error.detail)
