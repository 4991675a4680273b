"""Storing what Stripe said of a payer: the only writer of payment-method state."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import SystemRandom

from sqlalchemy.orm import Session

from app import apps, audit, checkout, payers
from app.core.config import settings
from app.gateway import CustomerFacts, Mandate, SessionFacts
from app.payers import Payer, PaymentMethod
from app.sync import pace
from app.sync.ask import Truth
from app.sync.blocking import block

WORTH = {"inactive": 0, "pending": 1, "active": 2}  # of several mandates for one method, the best counts
_dice = SystemRandom()


@dataclass
class Changes:
    """What turned out to be new, for the audit log."""

    session: Session
    payer: Payer
    kinds: list[str] = field(default_factory=list)

    def note(self, kind: str, **facts: str | None) -> None:
        """Add one."""
        self.tell(kind, **facts)
        self.kinds.append(kind)

    def tell(self, kind: str, **facts: str | None) -> None:
        """Put into the audit log what Stripe answered, without counting it as a change at Stripe."""
        payer = self.payer
        whose = {"customer_id": payer.customer_id, "app_id": payer.app_id}
        audit.note(self.session, kind, actor="stripe", **whose, **facts)


def write(session: Session, payer: Payer, truth: Truth, *, asked_at: datetime, now: datetime) -> list[str]:
    """Make a locked payer's record equal to what Stripe said. The kinds of what was new. Flushes."""
    changes = Changes(session, payer)
    for page in checkout.unsettled(session, payer.id):
        if page.id in truth.pages:
            _write_page(changes, page, truth.pages[page.id], now)
    block(session, payer, truth, now)
    _write_methods(changes, truth, now)
    _write_mandates(changes, truth.mandates)
    _write_customer(changes, truth.customer, now)
    payer.policy_method_id = truth.policy_method_id or payer.policy_method_id
    if truth.contact_refusal is not None:
        changes.tell(
            "stripe_customer.contact_refused",
            stripe_customer_id=payer.stripe_customer_id,
            reason=truth.contact_refusal,
        )
    pace.note_success(session, payer.app_id)
    apps.note_key_state(session, payer.app, accepted=True)
    payer.verified_at, payer.attempts, payer.last_error = asked_at, 0, None
    payer.verify_at = now + timedelta(days=settings().verify_days) * _dice.uniform(0.9, 1.1)
    checkout.restate(session, payer, now)
    return changes.kinds


def _write_page(
    changes: Changes, page: checkout.CheckoutSession, facts: SessionFacts | None, now: datetime
) -> None:
    if facts is None:  # Stripe has forgotten it, as it does when test data is wiped
        page.status, page.setup_status, page.settled_at = "expired", "canceled", now
        changes.note("checkout.expired", session_id=page.id)
        return
    setup, before = facts.setup, (page.status, page.setup_status, page.error_code, page.decline_code)
    page.status, page.setup_status, page.next_action = facts.status, setup.status, setup.next_action
    page.verification_url = setup.verification_url
    page.error_code, page.decline_code, page.error_message = (
        setup.error_code,
        setup.decline_code,
        setup.error_message,
    )
    if setup.method is not None:
        page.payment_method_id = setup.method.id
    if before != (page.status, page.setup_status, page.error_code, page.decline_code):
        changes.note(
            _what_happened(page),
            session_id=page.id,
            setup_intent_id=setup.id,
            payment_method_id=page.payment_method_id,
            error_code=setup.error_code,
            decline_code=setup.decline_code,
        )
    failed_after_form = page.status == "complete" and setup.status == "requires_payment_method"
    if setup.status in {"succeeded", "canceled"} or page.status == "expired" or failed_after_form:
        page.settled_at = now


def _what_happened(page: checkout.CheckoutSession) -> str:
    if page.setup_status == "succeeded":
        return "setup.succeeded"
    if page.status == "expired":
        return "checkout.expired"
    if page.error_code:
        return "setup.failed"
    if page.status == "complete":
        return "setup.processing"
    return f"setup.{page.setup_status}"


def _write_methods(changes: Changes, truth: Truth, now: datetime) -> None:
    payer = changes.payer
    default = [truth.customer.default_method] if truth.customer.default_method else []
    for method in [*truth.shown, *default, *(truth.methods or [])]:
        before = {row.id: _shown(row) for row in payer.methods}
        row = payers.remember(payer, method)
        if row.id not in before and row.detached_at is None:
            changes.note("payment_method.saved", payment_method_id=row.id, shown=row.title)
        elif before.get(row.id, _shown(row)) != _shown(row):  # renewed by the card network, or by somebody
            changes.note(
                "payment_method.updated", payment_method_id=row.id, before=before[row.id], after=_shown(row)
            )
    if truth.customer.deleted:
        attached: set[str] = set()
    elif truth.methods is not None:
        attached = {method.id for method in truth.methods}
    else:
        return
    for row in payer.methods:
        if row.detached_at is None and row.id not in attached:
            row.detached_at = now
            changes.note("payment_method.removed", payment_method_id=row.id, shown=row.title)


def _shown(row: PaymentMethod) -> str:
    return f"{row.title} {row.expiry}" if row.expiry else row.title


def _write_mandates(changes: Changes, mandates: list[Mandate]) -> None:
    for row in changes.payer.methods:
        own = [mandate for mandate in mandates if mandate.method_id == row.id]
        if not own:
            continue
        best = max(own, key=lambda mandate: WORTH.get(mandate.status, 0))
        before, row.mandate_id, row.mandate_status = row.mandate_status, best.id, best.status
        if best.status != (before or "active"):
            changes.note(
                "mandate.updated",
                payment_method_id=row.id,
                mandate_id=best.id,
                before=before,
                after=best.status,
            )


def _write_customer(changes: Changes, facts: CustomerFacts, now: datetime) -> None:
    payer = changes.payer
    if facts.deleted:
        if payer.gone_at is None:
            payer.gone_at = now
            changes.note("stripe_customer.deleted", stripe_customer_id=payer.stripe_customer_id)
        payer.default_method_id = None
        return
    default = facts.default_method.id if facts.default_method else None
    if default != payer.default_method_id:
        chosen = {row.id: row for row in payer.methods}
        now_default, was_default = chosen.get(default or ""), chosen.get(payer.default_method_id or "")
        is_same = now_default is not None and was_default is not None and now_default.is_same_as(was_default)
        changes.note(
            "default_method.changed",
            payment_method_id=default,
            before=payer.default_method_id,
            same_card="yes" if is_same else None,
        )
        payer.default_method_id = default
