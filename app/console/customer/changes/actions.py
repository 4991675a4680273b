"""The operator's actions on one customer that take more than one call of a package."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import apps, audit, checkout, customers, doctor, gateway, payers, sync, webhooks
from app.console.customer.account import webhook_findings
from app.core import db
from app.core.errors import Conflict, Invalid, NotFound
from app.core.values import frozen
from app.customers import Customer, NewCustomer
from app.gateway import StripeCustomer, StripeObjectMissing

MIN_TIME_TO_EXAMINE = 4.0  # seconds that are left for a page


class ChangedMeanwhile(Conflict):
    """Somebody changed the customer since the form was drawn; `now` is the stored customer."""

    def __init__(self, now: Customer) -> None:
        super().__init__("Somebody else changed this customer since you opened the form.")
        self.now = now


@frozen
class Holder:
    """A customer that already has some of the requested keys."""

    customer: Customer
    names: list[str]


@frozen
class State:
    """What we know about a payer, to compare with what we know after a check."""

    words: str
    default_method_id: str | None
    attached: tuple[tuple[str, str, str | None], ...]


@frozen
class CheckResult:
    """The result of a check: whether Stripe answered, and what changed."""

    is_answered: bool
    changes: list[str]
    troubles: list[str]  # with the webhook, when a change came without an event


def find(session: Session, customer_id: str, *, lock: bool = False) -> Customer:
    """Read a customer by id from the database, even a deleted one. Raises NotFound."""
    return _known(customers.by_id(session, customer_id, lock=lock))


def find_to_show(session: Session, customer_id: str) -> Customer:
    """Read a customer by id, even a deleted one, for a page that changes nothing. Raises NotFound."""
    return _known(customers.to_show(session, customer_id))


def _known(customer: Customer | None) -> Customer:
    if customer is None:
        raise NotFound("There is no such customer. It may belong to another installation.")
    return customer


def find_to_change(session: Session, customer_id: str) -> Customer:
    """Start a write and lock a live customer. Raises NotFound, and PreconditionFailed for a deleted one."""
    db.start_write(session)
    customer = find(session, customer_id, lock=True)
    customers.refuse_deleted(customer)
    return customer


def edit(
    session: Session, customer_id: str, wanted: NewCustomer, *, seen: str, actor: str
) -> sync.SentDetails | None:
    """Store new details of a customer. None when nothing is new. Commits.

    `seen` is the customer's time of change when the form was drawn.
    Store the changes first, then send them to Stripe: now, or later if Stripe does not answer.
    Raises ChangedMeanwhile, CustomerTaken and PreconditionFailed.
    """
    db.start_write(session)
    customer = find(session, customer_id, lock=True)
    if not _is_to_change(customer, wanted, seen):
        return None
    payers.replace_customer(session, customer, wanted, actor=actor)
    session.commit()
    return sync.send_details(session, customer_id)


def check(session: Session, customer_id: str, *, actor: str) -> CheckResult:
    """Ask Stripe about a customer now, however fresh our record is. Commits.

    Examine the app when a change came without an event, so that the page can name the cause.
    """
    before = {payer.id: _state(session, payer) for payer in payers.all_of_customer(session, customer_id)}
    announced = {payer_id for payer_id in before if webhooks.unfinished(session, payer_id)}
    db.end_read(session)
    answered = [sync.refresh(session, payer_id, force=True) for payer_id in before]
    changes, unannounced, troubles = [], {}, []
    for payer_id, was in before.items():
        payer = payers.fresh(session, payer_id)
        now = _state(session, payer)
        if now != was:
            changes.append(
                f"{was.words}, now {now.words}" if now.words != was.words else "payment methods changed"
            )
        if now != was and payer_id not in announced:
            unannounced[payer.app_id] = changes[-1]
        db.end_read(session)
        if payer.app_id in unannounced or payer.drift:
            troubles += _examine(session, payer.app, actor=actor)
    outcome = "; ".join(changes) or "no changes" if all(answered) else "no answer"
    db.start_write(session)
    for app_id, found in unannounced.items():
        audit.note(session, "sync.untold", actor=actor, customer_id=customer_id, app_id=app_id, found=found)
    audit.note(session, "customer.checked", actor=actor, customer_id=customer_id, outcome=outcome)
    session.commit()
    return CheckResult(all(answered), changes, troubles)


def fetch_stripe_customer(
    session: Session, customer: Customer, app: apps.App, stripe_customer_id: str
) -> StripeCustomer:
    """Fetch a Stripe customer that an operator wants to attach. Ends the reading.

    Raises Invalid for the field when it is unknown, deleted or attached already.
    """
    holder = payers.of_stripe_customer(session, app.id, stripe_customer_id)
    if holder is not None and holder.customer_id != customer.id:
        raise _unfit(f"It already belongs to another customer: {holder.customer.name}.")
    if holder is not None:
        raise _unfit("It is already attached to this customer.")
    db.end_read(session)
    with apps.record_rejection(session, app):
        try:
            facts = apps.connect(app).customer(stripe_customer_id)
        except StripeObjectMissing as error:
            mode = "live" if app.livemode else "test"
            raise _unfit(
                f"Stripe has no such customer in account {app.stripe_account_id}, {mode} mode."
            ) from error
    if facts.deleted:
        raise _unfit("This customer was deleted at Stripe.")
    return facts


def attach(
    session: Session, customer: Customer, app: apps.App, stripe_customer_id: str, *, actor: str
) -> None:
    """Attach an existing Stripe customer and read its data. Commits.

    Raises what `payers.bind` does.
    """
    wanted = payers.Binding(app=app, stripe_customer_id=stripe_customer_id)
    payer = payers.bind(session, customer, [wanted], actor=actor)[0]
    session.commit()
    sync.refresh(session, payer.id, force=True)


def close_checkout_session(session: Session, customer: Customer, session_id: str, *, actor: str) -> bool:
    """Close an open checkout session. Return False if it was closed already. Commits. Raises NotFound."""
    opened = checkout.by_stripe_session(session, session_id)
    if opened is None or opened.payer.customer_id != customer.id:
        raise NotFound("This customer has no such checkout session.")
    payer = payers.fresh(session, opened.payer_id)
    is_open = opened.status == "open"
    db.end_read(session)
    if not is_open:
        return False
    with apps.record_rejection(session, payer.app):
        checkout.close(payer, opened)
    db.start_write(session)
    payers.note(session, payer, "checkout.closed", actor=actor, session_id=session_id)
    session.commit()
    sync.refresh(session, payer.id, force=True)
    return True


def holders_of(session: Session, wanted: NewCustomer, ids: Iterable[str]) -> list[Holder]:
    """The customers that already have some of the requested keys."""
    found = session.scalars(sa.select(Customer).where(Customer.id.in_(ids)).order_by(Customer.id))
    holders = []
    for customer in found:
        own = {customer.key, customer.id, *customer.subject_keys}
        taken = sorted({key for key in (wanted.key, *wanted.subject_keys) if key is not None and key in own})
        holders.append(Holder(customer, taken))
    return holders


def _is_to_change(customer: Customer, wanted: NewCustomer, seen: str) -> bool:
    customers.refuse_deleted(customer)
    if not customers.differences(customer, wanted):
        return False
    if customer.updated_at.isoformat() != seen:
        raise ChangedMeanwhile(customer)
    return True


def _state(session: Session, payer: payers.Payer) -> State:
    attached = sorted((row.id, row.title, row.expiry) for row in payer.attached_methods)
    status = checkout.payment_status(payer, checkout.latest(session, payer))
    title = f" ({payer.default_method.title})" if payer.default_method else ""
    return State(f"{payers.status_info(status).label}{title}", payer.default_method_id, tuple(attached))


def _examine(session: Session, app: apps.App, *, actor: str) -> list[str]:
    """Examine an app, and return what keeps its events away. Without enough time it would blame Stripe."""
    if (gateway.time_left() or MIN_TIME_TO_EXAMINE) < MIN_TIME_TO_EXAMINE:
        return []
    found = doctor.run(session, app, actor=actor)
    session.commit()
    return [finding.title for finding in webhook_findings(found)]


def _unfit(detail: str) -> Invalid:
    return Invalid(detail, fields={"stripe_customer_id": detail})
