"""Change a payer's methods at Stripe because a person asks for it, then read the result."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy.orm import Session

from app import apps, audit, customers, payers
from app.core import db
from app.core.db import utcnow
from app.core.errors import NotFound, PreconditionFailed
from app.gateway import StripeObjectMissing, StripeRefused, StripeUnavailable
from app.payers import SETTLE_DELAY, Payer, PaymentMethod
from app.sync.refresh import refresh


class Unanswered(PreconditionFailed):
    """Stripe gave no answer, so we don't know yet whether the request took effect."""


def choose_default(
    session: Session, customer: customers.Customer, app_id: str, method_id: str, *, actor: str
) -> str:
    """Make another attached method the default at Stripe, and return its title. Commits.

    Raises NotFound, Unanswered, and as `payers.bind` does.
    """
    payer, method = attached(session, customer.id, app_id, method_id)
    title, payer_id = method.title, payer.id
    wanted = payers.Binding(app=payer.app, stripe_customer_id=payer.stripe_id, method_id=method.id)
    with _note_unanswered(session, payer, "default_method.unanswered", method, actor=actor):
        payers.bind(session, customer, [wanted], actor=actor)
    session.commit()
    refresh(session, payer_id, force=True)
    return title


def detach(session: Session, customer_id: str, app_id: str, method_id: str, *, actor: str) -> str:
    """Remove a payment method from Stripe permanently, and return its title. Commits.

    Raises NotFound, Unanswered, and what the gateway does.
    """
    payer, method = attached(session, customer_id, app_id, method_id)
    title, app, payer_id = method.title, payer.app, payer.id
    with (
        _note_unanswered(session, payer, "payment_method.detach_unanswered", method, actor=actor),
        apps.record_rejection(session, app),
        suppress(StripeObjectMissing, StripeRefused),  # gone already
    ):
        db.end_read(session)
        apps.connect(app).detach_method(method_id)
    db.start_write(session)
    audit.note(
        session,
        "payment_method.detached",
        actor=actor,
        customer_id=customer_id,
        app_id=app.id,
        payment_method_id=method_id,
        shown=title,
    )
    session.commit()
    refresh(session, payer_id, force=True)
    return title


def attached(
    session: Session, customer_id: str, app_id: str, method_id: str, *, lock: bool = False
) -> tuple[Payer, PaymentMethod]:
    """Return a customer's payer in an app, locked if asked, and an attached method of it. Raises NotFound."""
    payer = payers.of_customer(session, app_id, customer_id)
    if payer is not None and lock:
        payer = payers.fresh(session, payer.id, lock=True)
    for method in payer.attached_methods if payer else ():
        if method.id == method_id:
            assert payer is not None
            return payer, method
    raise NotFound("This payment method is no longer attached to this customer.")


@contextmanager
def _note_unanswered(
    session: Session, payer: Payer, kind: str, method: PaymentMethod, *, actor: str
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
        payers.mark_due(session, payer_id, at=utcnow() + SETTLE_DELAY)
        session.commit()
        raise Unanswered(
            f"{error.detail} We don't know yet whether it worked. We check again within a minute; reload this"
            " page then."
        ) from error
