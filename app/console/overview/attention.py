"""What needs attention now: the count, the newest few, and what helps."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import apps, customers, doctor, payers, portal, webhooks
from app.console.common import event_types, profile_apps, wording
from app.console.overview.concern import MAX_COUNTED, Concern, Item
from app.console.overview.delays import backlog, email
from app.core.config import settings
from app.core.db import utcnow
from app.core.values import frozen
from app.customers import Customer
from app.onboarding import links
from app.payers import Payer

NEWEST = 3
MAX_WAITING = 25

CONCERNS = {status: info for status, info in payers.STATUS_TABLE.items() if info.concern}


def concerns(session: Session, installed: Sequence[apps.App]) -> list[Concern]:
    """All concerns that have items, the most urgent first."""
    blocked = _blocked_payers(session)
    found = [
        _no_app(installed),
        *_apps(session, installed),
        _lost_profiles(session, installed),
        backlog(session),
        email(session),
        _blocked(blocked),
        _waiting(session),
        _unheard(session),
        _dead(session),
        *_customers(session, {app.id: app.name for app in installed}, blocked),
    ]
    return [concern for concern in found if concern.count]


def _no_app(installed: Sequence[apps.App]) -> Concern:
    return Concern(
        "no_app",
        "No Stripe app is installed",
        "Nobody can sign up or save a payment method until you install one.",
        "error",
        0 if installed else 1,
    )


def _lost_profiles(session: Session, installed: Sequence[apps.App]) -> Concern:
    """Profiles that lead to no Stripe account, while there are others."""
    published = portal.published()
    known = profile_apps.names(session, published)
    lost = [each.name for each in published.profiles.values() if each.app_id and each.app_id not in known]
    return Concern(
        "lost_profiles",
        "Profiles without a Stripe account",
        "Their account is not installed, so nobody can save a payment method there. Choose another one.",
        "error",
        len(lost) if installed else 0,
        [Item(name, None) for name in sorted(lost)],
    )


def _apps(session: Session, installed: Sequence[apps.App]) -> list[Concern]:
    shut = [Item(app.name, app.updated_at, app_id=app.id) for app in installed if app.status != "ready"]
    ill = [
        Item(app.name, examined.at, "; ".join(_red(examined)), app_id=app.id)
        for app in installed
        if app.status == "ready"
        and (examined := doctor.latest(session, app.id)) is not None
        and doctor.state_of(examined) is doctor.State.RED
    ]
    return [
        Concern(
            "unauthorized",
            "Stripe rejects the API key",
            "We can't check customers or open checkout sessions until you replace the key.",
            "error",
            len(shut),
            shut,
        ),
        Concern(
            "ill",
            "A Stripe app has problems",
            "The last check found problems that affect customers or events.",
            "error",
            len(ill),
            ill,
        ),
    ]


def _red(examined: doctor.Examination) -> list[str]:
    return [found.title for found in doctor.findings_of(examined) if found.state is doctor.State.RED]


def _unheard(session: Session) -> Concern:
    """Changes that only a timer found: webhooks do not arrive."""
    rows = session.execute(
        sa.select(Customer.id, Customer.name, Payer.verified_at, Payer.drift)
        .join(Payer, Payer.customer_id == Customer.id)
        .where(Payer.drift.is_not(None), Payer.deleted_at.is_(None))
        .order_by(Payer.verified_at.desc())
        .limit(NEWEST)
    )
    return Concern(
        "unheard",
        "Changes without events",
        "Our own checks found these, but Stripe sent no event. Webhooks may be broken: check the Stripe app.",
        "warning",
        _counted(session, sa.select(Payer.id).where(Payer.drift.is_not(None), Payer.deleted_at.is_(None))),
        [
            Item(name, at, wording.describe_kinds(drift or ""), customer_id=id_)
            for id_, name, at, drift in rows
        ],
    )


@frozen
class BlockedPayer:
    """A customer with so many declined attempts that somebody may be testing stolen cards."""

    customer_id: str
    name: str
    blocked_at: datetime | None
    status: str | None


def _blocked_payers(session: Session) -> list[BlockedPayer]:
    rows = session.execute(
        sa.select(Customer.id, Customer.name, Payer.blocked_at, Payer.status)
        .join(Payer, Payer.customer_id == Customer.id)
        .where(_is_blocked())
        .order_by(Payer.blocked_at.desc())
        .limit(MAX_COUNTED + 1)
    )
    return [BlockedPayer(id_, name, at, status) for id_, name, at, status in rows]


def _blocked(blocked: list[BlockedPayer]) -> Concern:
    return Concern(
        "blocked",
        "Too many declined attempts",
        "Somebody may be testing stolen cards. We blocked them for 24 hours. If you know the customer, allow"
        " more attempts on their page.",
        "error",
        len(blocked),
        [Item(payer.name, payer.blocked_at, customer_id=payer.customer_id) for payer in blocked[:NEWEST]],
    )


def _waiting(session: Session) -> Concern:
    """Sign-ups that an operator must approve, the oldest first: each of them is a customer who waits."""
    waits = sa.and_(Customer.approval == customers.WAITING, Customer.deleted_at.is_(None))
    rows = session.execute(
        sa.select(Customer.id, Customer.name, Customer.created_at)
        .where(waits)
        .order_by(Customer.created_at)
        .limit(MAX_WAITING)
    )
    return Concern(
        "approval",
        "Sign-ups waiting for approval",
        "Stripe stays closed for them until you approve. Open a customer to approve or decline.",
        "warning",
        _counted(session, sa.select(Customer.id).where(waits)),
        [Item(name, at, customer_id=id_) for id_, name, at in rows],
    )


def _dead(session: Session) -> Concern:
    items = [
        Item(
            event_types.label(event.type),
            event.received_at,
            name or "",
            event=(event.app_id, event.id),
        )
        for event, _, name in webhooks.newest_failed(session, NEWEST)
    ]
    count = webhooks.counts(session)["dead"]
    return Concern(
        "dead",
        "Failed events",
        "We could not ask Stripe about these customers. Fix the cause, then retry.",
        "error",
        count,
        items,
    )


def _customers(session: Session, names: dict[str, str], blocked: list[BlockedPayer]) -> list[Concern]:
    """The customers of each status, without the blocked ones: those are another concern."""
    if not names:
        return []
    newest, elsewhere = _newest(session, names), Counter(payer.status for payer in blocked)
    return [
        Concern(
            status,
            info.concern or info.label,
            info.advice,
            info.tone,
            _counted(session, sa.select(Payer.id).where(_is(status), Payer.app_id.in_(names)))
            - elsewhere[status],
            newest.get(status, []),
        )
        for status, info in CONCERNS.items()
    ]


def _newest(session: Session, names: dict[str, str]) -> dict[str, list[Item]]:
    """The newest customers of each status, in one statement that reads a few rows of one index per status."""
    walks = [
        sa.select(Payer.status, Payer.status_since, Payer.customer_id, Payer.app_id)
        .where(_is(status), Payer.app_id == app_id, sa.func.coalesce(sa.not_(_is_blocked()), sa.true()))
        .order_by(Payer.status_since.desc())
        .limit(NEWEST)
        .subquery()
        for status in CONCERNS
        for app_id in names
    ]
    every = sa.union_all(*(sa.select(walk) for walk in walks)).subquery()
    rows = session.execute(
        sa.select(every.c.status, every.c.status_since, every.c.app_id, Customer.id, Customer.name)
        .join(Customer, Customer.id == every.c.customer_id)
        .order_by(every.c.status_since.desc())
    )
    newest: dict[str, list[Item]] = {}
    for status, since, app_id, id_, name in rows:
        place = names[app_id] if len(names) > 1 else None
        item = Item(name, since, customer_id=id_, app_id=app_id, app_name=place)
        newest.setdefault(status, []).append(item)
    return _with_links(session, {status: items[:NEWEST] for status, items in newest.items()})


def _with_links(session: Session, newest: dict[str, list[Item]]) -> dict[str, list[Item]]:
    """Add the newest link of each customer, so that nobody makes a second one by mistake."""
    ids = {item.customer_id for items in newest.values() for item in items if item.customer_id}
    made = links.newest_of(session, ids)
    return {
        status: [replace(item, link=made.get((item.customer_id or "", item.app_id))) for item in items]
        for status, items in newest.items()
    }


def _is(status: str) -> sa.ColumnElement[bool]:
    """A live payer of a status. TROUBLED repeats the words of its index, so that the database uses it.

    A status that this index lacks is found by the index of all statuses. Its customers should be few, as
    with an unfinished 3-D Secure: that session ends in a day.
    """
    is_troubled = f"'{status}'" in payers.TROUBLED
    live = sa.text(payers.TROUBLED) if is_troubled else Payer.deleted_at.is_(None)
    return sa.and_(live, Payer.status == status)


def _is_blocked() -> sa.ColumnElement[bool]:
    """A live payer with too many declined attempts: a separate concern, because no link helps for now."""
    if settings().max_declines == 0:
        return sa.false()
    return sa.and_(Payer.blocked_at > utcnow() - payers.BLOCK_DURATION, Payer.deleted_at.is_(None))


def _counted(session: Session, query: sa.Select[str]) -> int:
    limited = query.limit(MAX_COUNTED + 1).subquery()
    return session.scalar(sa.select(sa.func.count()).select_from(limited)) or 0
