"""Requests of an operator that Stripe did not answer. They may still have taken effect."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy.orm import Session

from app import audit, payers
from app.core import db
from app.core.db import utcnow
from app.core.errors import PreconditionFailed
from app.gateway import StripeUnavailable

RETRY_DELAY = timedelta(seconds=30)  # by then a slow request has taken effect


class Unanswered(PreconditionFailed):
    """Stripe gave no answer, so we don't know yet whether the request took effect."""


@contextmanager
def note_unanswered(
    session: Session, payer: payers.Payer, kind: str, method: payers.PaymentMethod, *, actor: str
) -> Iterator[None]:
    """When Stripe gives no answer, note the request and schedule a check. Commits then.

    Raises Unanswered in place of the gateway's error.
    """
    payer_id, customer_id, app_id = payer.id, payer.customer_id, payer.app_id
    method_id, title = method.id, method.title
    try:
        yield
    except StripeUnavailable as error:
        session.rollback()
        db.start_write(session)
        audit.note(
            session,
            kind,
            actor=actor,
            customer_id=customer_id,
            app_id=app_id,
            payment_method_id=method_id,
            shown=title,
        )
        payers.mark_due(session, payer_id, utcnow() + RETRY_DELAY)
        session.commit()
        raise Unanswered(
            f"{error.detail} We don't know yet whether it worked. We check again within a minute; reload this"
            " page then."
        ) from error
