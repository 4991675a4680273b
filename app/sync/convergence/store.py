"""Store what Stripe said about a payer. Nothing else writes the state of payment methods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import SystemRandom

from sqlalchemy.orm import Session

from app import checkout, payers
from app.core.config import settings
from app.core.values import frozen
from app.gateway import Mandate, StripeCustomer, StripeSession
from app.payers import Payer, PaymentMethod
from app.sync.convergence.blocking import block
from app.sync.convergence.state import StripeState

MANDATE_RANK = {"inactive": 0, "pending": 1, "active": 2}  # the best of a method's mandates counts
_random = SystemRandom()


@dataclass
class Changes:
    """The changes at Stripe, for the audit log."""

    session: Session
    payer: Payer
    kinds: list[str] = field(default_factory=list)

    def note(self, kind: str, **facts: str | None) -> None:
        """Add a change at Stripe."""
        self.log(kind, **facts)
        self.kinds.append(kind)

    def log(self, kind: str, **facts: str | None) -> None:
        """Log what Stripe answered, without counting it as a change at Stripe."""
        payers.note(self.session, self.payer, kind, actor="stripe", **facts)


@frozen(kw_only=True)
class Held:
    """The rows of some locked payers, read together; by the payers' ids, and the methods by app and id."""

    unsettled: Mapping[str, Sequence[checkout.CheckoutSession]]  # the newest first
    latest: Mapping[str, checkout.CheckoutSession]
    methods: Mapping[tuple[str, str], PaymentMethod]

    @classmethod
    def by(cls, session: Session, states: Mapping[str, tuple[Payer, StripeState | None]]) -> "Held":
        """Read what storing these states takes."""
        named = {
            (payer.app_id, method.id)
            for payer, state in states.values()
            if state is not None
            for method in state.all_methods
        }
        return cls(
            unsettled=checkout.unsettled_of(session, list(states)),
            latest=checkout.latest_of(session, list(states)),
            methods=payers.methods(session, named),
        )


def store(
    session: Session, payer: Payer, state: StripeState, held: Held, *, asked_at: datetime, now: datetime
) -> list[str]:
    """Make the record of a locked payer equal to Stripe's state. Return the kinds of changes.

    Asks the database nothing, so that the changes of many payers go there together.
    """
    changes = Changes(session, payer)
    for row in held.unsettled[payer.id]:
        if row.id in state.sessions:
            _store_session(changes, row, state.sessions[row.id], now)
    block(session, payer, state, now)
    _store_methods(changes, state, held, now)
    _store_mandates(changes, state.mandates)
    _store_customer(changes, state.customer, now)
    payer.policy_method_id = state.policy_method_id or payer.policy_method_id
    if state.contact_refusal is not None:
        changes.log(
            "stripe_customer.contact_refused",
            stripe_customer_id=payer.stripe_customer_id,
            reason=state.contact_refusal,
        )
    payer.verified_at, payer.attempts, payer.last_error = asked_at, 0, None
    payer.verify_at = now + timedelta(days=settings().verify_days) * _random.uniform(0.9, 1.1)
    checkout.restate(session, payer, held.latest.get(payer.id), now)
    return changes.kinds


def _store_session(
    changes: Changes, row: checkout.CheckoutSession, facts: StripeSession | None, now: datetime
) -> None:
    if facts is None:  # Stripe no longer has it, such as after deleting test data
        row.status, row.setup_status, row.settled_at = "expired", "canceled", now
        changes.note("checkout.expired", session_id=row.stripe_id)
        return
    setup, before = facts.setup, (row.status, row.setup_status, row.error_code, row.decline_code)
    row.status, row.setup_status, row.next_action = facts.status, setup.status, setup.next_action
    row.verification_url = setup.verification_url
    row.error_code, row.decline_code, row.error_message = (
        setup.error_code,
        setup.decline_code,
        setup.error_message,
    )
    if setup.method is not None:
        row.payment_method_id = setup.method.id
    if before != (row.status, row.setup_status, row.error_code, row.decline_code):
        changes.note(
            _event_kind(row),
            session_id=row.stripe_id,
            setup_intent_id=setup.id,
            payment_method_id=row.payment_method_id,
            error_code=setup.error_code,
            decline_code=setup.decline_code,
        )
    failed_after_form = row.status == "complete" and setup.status == "requires_payment_method"
    if setup.status in {"succeeded", "canceled"} or row.status == "expired" or failed_after_form:
        row.settled_at = now


def _event_kind(row: checkout.CheckoutSession) -> str:
    if row.setup_status == "succeeded":
        return "setup.succeeded"
    if row.status == "expired":
        return "checkout.expired"
    if row.error_code:
        return "setup.failed"
    if row.status == "complete":
        return "setup.processing"
    return f"setup.{row.setup_status}"


def _store_methods(changes: Changes, state: StripeState, held: Held, now: datetime) -> None:
    payer = changes.payer
    for method in state.all_methods:
        before = {row.id: _shown(row) for row in payer.methods}
        row = payers.upsert_payment_method(payer, method, held.methods)
        if row.id not in before and row.detached_at is None:
            changes.note("payment_method.saved", payment_method_id=row.id, shown=row.title)
        elif before.get(row.id, _shown(row)) != _shown(row):  # the card network or somebody renewed it
            changes.note(
                "payment_method.updated", payment_method_id=row.id, before=before[row.id], after=_shown(row)
            )
    if state.customer.deleted:
        attached: set[str] = set()
    elif state.methods is not None:
        attached = {method.id for method in state.methods}
    else:
        return
    for row in payer.methods:
        if row.detached_at is None and row.id not in attached:
            row.detached_at = now
            changes.note("payment_method.removed", payment_method_id=row.id, shown=row.title)


def _shown(row: PaymentMethod) -> str:
    return f"{row.title} {row.expiry}" if row.expiry else row.title


def _store_mandates(changes: Changes, mandates: list[Mandate]) -> None:
    for row in changes.payer.methods:
        own = [mandate for mandate in mandates if mandate.method_id == row.id]
        if not own:
            continue
        best = max(own, key=lambda mandate: MANDATE_RANK.get(mandate.status, 0))
        before, row.mandate_id, row.mandate_status = row.mandate_status, best.id, best.status
        if best.status != (before or "active"):
            changes.note(
                "mandate.updated",
                payment_method_id=row.id,
                mandate_id=best.id,
                before=before,
                after=best.status,
            )


def _store_customer(changes: Changes, facts: StripeCustomer, now: datetime) -> None:
    payer = changes.payer
    if facts.deleted:
        if payer.stripe_deleted_at is None:
            payer.stripe_deleted_at = now
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
