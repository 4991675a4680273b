"""Payers that may open no session for now, because too many attempts were declined."""

from app.core.config import settings
from app.core.db import utcnow
from app.core.errors import PreconditionFailed
from app.payers import Payer


class TooManyDeclines(PreconditionFailed):
    """Somebody may be testing stolen cards, so no session is opened for now."""

    title = "Too many tries were declined"


def refuse_blocked(payer: Payer | None) -> None:
    """Raise TooManyDeclines for a payer who is blocked."""
    if payer is not None and payer.is_blocked(utcnow()) and settings().max_declines:
        raise TooManyDeclines("too many attempts of this customer were declined")
