"""What customers change on their billing page: each step asks Stripe, then reads the result."""

from sqlalchemy.orm import Session

from app import payers, sync
from app.core import db
from app.core.db import utcnow
from app.core.errors import AppError, NotFound, PreconditionFailed
from app.onboarding.billing import view
from app.onboarding.billing.access import Access
from app.payers import SETTLE_DELAY, Payer, PaymentMethod

ACTOR = "visitor"


class NotAllowed(PreconditionFailed):
    """The action is no longer possible: something has changed since the page was drawn."""


def find_method(
    session: Session, access: Access, app_id: str, method_id: str, *, lock: bool = False
) -> tuple[Payer, PaymentMethod]:
    """Return a method that this browser may see, and its payer. Raises NotFound."""
    payer, method = sync.attached(session, access.customer.id, app_id, method_id, lock=lock)
    if not access.sees(method):
        raise NotFound("There is no such payment method.")
    return payer, method


def choose_default(session: Session, access: Access, app_id: str, method_id: str) -> None:
    """Make a method the default at Stripe. Harmless to repeat. Commits.

    Raises NotFound, NotAllowed, sync.Unanswered, and what the gateway raises.
    """
    payer, method = find_method(session, access, app_id, method_id)
    if method.id == payer.default_method_id:  # a double click, or another tab was quicker
        db.end_read(session)
        return
    if not view.may_choose(payer, method, access):
        raise NotAllowed("This payment method can't become the default.")
    sync.choose_default(session, access.customer, app_id, method_id, actor=ACTOR)


def keep_default(session: Session, access: Access, app_id: str, method_id: str) -> None:
    """Note that a customer does not want a method as the default. Commits. Raises NotFound."""
    db.start_write(session)
    payer, method = find_method(session, access, app_id, method_id, lock=True)
    if method.declined_as_default_at is None and method.id != payer.default_method_id:
        method.declined_as_default_at = utcnow()
        kept = {"payment_method_id": method.id, "shown": method.title}
        payers.note(session, payer, "default_method.kept", actor=ACTOR, **kept)
    session.commit()


def remove(
    session: Session, access: Access, app_id: str, method_id: str, *, successor_id: str | None = None
) -> bool:
    """Remove a method at Stripe. Return False when it is gone already. Commits.

    Reserve, ask, record: the request is stored first, under a lock on the payer. So of two tabs that remove
    the last two methods, one is refused. The default needs a successor, which becomes the default first.
    Raises NotFound for a method of somebody else, NotAllowed, sync.Unanswered, and what the gateway raises.
    """
    if _is_gone(session, access, app_id, method_id):
        return False
    successor = _reserve(session, access, app_id, method_id, successor_id)
    try:
        if successor is not None:
            sync.choose_default(session, access.customer, app_id, successor, actor=ACTOR)
        sync.detach(session, access.customer.id, app_id, method_id, actor=ACTOR)
    except sync.Unanswered:
        raise
    except NotFound:  # another tab was quicker
        return False
    except AppError:
        session.rollback()
        _withdraw(session, access, app_id, method_id)
        raise
    return True


def _is_gone(session: Session, access: Access, app_id: str, method_id: str) -> bool:
    """Was this a method of the customer that Stripe no longer has?"""
    payer = payers.of_customer(session, app_id, access.customer.id)
    rows = payer.methods if payer else []
    is_gone = any(row.id == method_id and row.detached_at is not None and access.sees(row) for row in rows)
    db.end_read(session)
    return is_gone


def _reserve(
    session: Session, access: Access, app_id: str, method_id: str, successor_id: str | None
) -> str | None:
    """Store that a method is to be removed. Return the id of the next default, if one is needed. Commits."""
    db.start_write(session)
    payer, method = find_method(session, access, app_id, method_id, lock=True)
    if not view.may_remove(payer, method, access):
        session.rollback()
        raise NotAllowed("This payment method can't be removed. Add another one first.")
    fit = [row.id for row in view.successors(payer, method, access)]
    successor = successor_id if successor_id in fit else next(iter(fit), None)
    method.removal_asked_at = utcnow()
    # If this process dies now, a worker reads from Stripe whether the method is still there.
    payers.mark_due(session, payer.id, at=utcnow() + SETTLE_DELAY)
    is_default = method.id == payer.default_method_id
    session.commit()
    return successor if is_default else None


def _withdraw(session: Session, access: Access, app_id: str, method_id: str) -> None:
    """Forget that a method was to be removed, because Stripe refused. Commits."""
    db.start_write(session)
    _, method = sync.attached(session, access.customer.id, app_id, method_id, lock=True)
    method.removal_asked_at = None
    session.commit()


def open_stripe_portal(session: Session, payer: Payer, *, return_url: str) -> str:
    """Open Stripe's own page for a payer, and return its URL. Commits.

    Raises what `payers.open_portal` does.
    """
    opened = payers.open_portal(session, payer, return_url=return_url)
    db.start_write(session)
    payers.note(session, payer, "stripe_portal.opened", actor=ACTOR)
    session.commit()
    return opened.url
