"""Finding the events that no webhook brought, in Stripe's own list of them.

What is found goes into the inbox, and from there the usual way. A walk goes from the newest event back to
where the last walk began, and some time further: Stripe may list an event later than younger ones.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import SystemRandom

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from app import apps, checkout, webhooks
from app.apps import App
from app.core import db
from app.core.config import settings
from app.core.db import new_id, utcnow
from app.core.errors import AppError, Conflict
from app.gateway import EventPage, StripeKeyRejected, StripeRefused
from app.sync import pace, schedule
from app.sync.models import Backfill, Pace

log = structlog.get_logger("gangway.backfill")

KEPT = timedelta(days=30)  # what Stripe lists
LEASE = timedelta(minutes=1)  # one page takes far less
AFTER_TROUBLE = timedelta(minutes=1)
GAP_SPREAD = timedelta(hours=1)
GAP_BATCH = 500
SKEW = timedelta(hours=1)  # by which our clock may be ahead of Stripe's, by whose time the list is read
_dice = SystemRandom()


@dataclass(frozen=True)
class ListLease:
    """The right to read on in an app's list, until it runs out."""

    app_id: str
    token: str


@dataclass(frozen=True, kw_only=True)
class Backfilled:
    """What looking through Stripe's list came to."""

    listed: int = 0  # events of the kinds that we want
    found: int = 0  # of these, those that no webhook had brought
    has_more: bool = False  # further back

    def __add__(self, later: "Backfilled") -> "Backfilled":
        """Both together."""
        return Backfilled(
            listed=self.listed + later.listed, found=self.found + later.found, has_more=later.has_more
        )


def backfill(
    session: Session, app: App, *, since: datetime | None = None, dry_run: bool = False
) -> Backfilled:
    """Look through an app's whole list now, back to the last time or to a given one.

    Ends the reading, and commits page by page. A dry run only counts. Raises Conflict when another is at it,
    and what the gateway raises.
    """
    db.end_read(session)
    if dry_run:
        return _count(session, app, since)
    token = _claim(session, app.id, since=since)
    if token is None:
        raise Conflict("A backfill of this app is under way already. Try again in a minute.")
    seen = Backfilled(has_more=True)
    while seen.has_more:
        seen += _read_page(session, app, token, keeps_lease=True)
    return seen


def claim_due(session: Session) -> ListLease | None:
    """Take the lease of the list whose turn it is; None when none is due and may be read now. Commits."""
    now = utcnow()
    app_id = session.scalar(_whose_turn(now))
    db.end_read(session)
    if app_id is None:
        return None
    db.start_write(session)
    is_allowed = pace.take(session, app_id, now, calls=1)
    session.commit()
    token = _claim(session, app_id, is_timed=True) if is_allowed else None
    return ListLease(app_id, token) if token else None


def read_on(session: Session, lease: ListLease) -> None:
    """Read the next page of a list, and give its lease back. Commits."""
    app = apps.by_id(session, lease.app_id)
    db.end_read(session)
    try:
        _read_page(session, app, lease.token)
    except AppError as error:
        log.warning("backfill_failed", app=lease.app_id, reason=error.detail)


def release(session: Session, lease: ListLease) -> None:
    """Give a lease back unused, unless another has it by now. Commits."""
    db.start_write(session)
    session.execute(
        sa.update(Backfill)
        .where(Backfill.app_id == lease.app_id, Backfill.lease == lease.token)
        .values(lease=None, leased_until=None)
        .execution_options(synchronize_session=False)
    )
    session.commit()


def expect(session: Session) -> None:
    """Have every list looked through soon: a worker has started, and may have been away for long. Commits."""
    db.start_write(session)
    now = utcnow()
    session.execute(
        sa.update(Backfill)
        .where(Backfill.next_run_at > now)
        .values(next_run_at=now)
        .execution_options(synchronize_session=False)
    )
    session.commit()


def ask(session: Session, app_id: str) -> None:
    """Have one app's list looked through as soon as a worker is free. The caller commits."""
    asked = sa.update(Backfill).where(Backfill.app_id == app_id).values(next_run_at=utcnow())
    session.execute(asked.execution_options(synchronize_session=False))


def _whose_turn(now: datetime) -> sa.Select[str]:
    return (
        sa.select(App.id)
        .outerjoin(Pace, Pace.app_id == App.id)
        .outerjoin(Backfill, Backfill.app_id == App.id)
        .where(pace.may_ask(now), sa.or_(Backfill.app_id.is_(None), sa.and_(_is_due(now), _is_free(now))))
        .order_by(sa.func.coalesce(Backfill.next_run_at, App.created_at))
        .limit(1)
    )


def _is_due(now: datetime) -> sa.ColumnElement[bool]:
    return Backfill.next_run_at <= now


def _is_free(now: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(Backfill.lease.is_(None), Backfill.leased_until < now)


def _claim(
    session: Session, app_id: str, *, since: datetime | None = None, is_timed: bool = False
) -> str | None:
    """Take the lease of an app's list; None when another has it, or took its turn. Commits."""
    now, token = utcnow(), new_id()
    afresh = {"floor": since, "head": None, "after": None} if since is not None else {}
    db.start_write(session)
    session.execute(
        db.insert(session, Backfill).values(app_id=app_id, next_run_at=now, found=0).on_conflict_do_nothing()
    )
    may_be_taken = [Backfill.app_id == app_id, _is_free(now), *([_is_due(now)] if is_timed else [])]
    taken = session.scalars(
        sa.update(Backfill)
        .where(*may_be_taken)
        .values(lease=token, leased_until=now + LEASE, **afresh)
        .returning(Backfill.app_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    session.commit()
    return token if taken else None


def _read_page(session: Session, app: App, token: str, *, keeps_lease: bool = False) -> Backfilled:
    """Read the next page of a walk; store what is new in it and how far the walk has come, in one commit."""
    row = session.get_one(Backfill, app.id, populate_existing=True)
    floor, after, is_begun = _floor(row, app), row.after, row.floor is not None
    is_gap = not is_begun and utcnow() - (row.last_run_at or app.created_at) > KEPT
    db.end_read(session)
    try:
        page = _listed(app, floor, after)
        if is_gap:
            _mark_unfinished(session, app.id)
        return _store(session, app, token, page, floor, keeps_lease=keeps_lease)
    except AppError as error:
        _failed(session, app, token, error)
        raise
    except Exception as error:
        session.rollback()
        log.exception("backfill_broke", app=app.id)
        odd = AppError(f"Stripe's list could not be understood or stored ({type(error).__name__}).")
        _failed(session, app, token, odd)
        raise odd from error


def _floor(row: Backfill, app: App) -> datetime:
    """How far back a walk goes. An app that was never walked through has nothing before its installation."""
    overlap = timedelta(seconds=settings().backfill_overlap)
    return row.floor or (row.cursor or app.created_at - SKEW) - overlap


def _listed(app: App, floor: datetime, after: str | None) -> EventPage | None:
    """A page; None when Stripe has forgotten the event behind which it would begin."""
    try:
        return apps.connect(app).events(floor, after=after)
    except StripeRefused as error:
        if "starting_after" not in error.fields:
            raise
        return None


def _store(
    session: Session, app: App, token: str, page: EventPage | None, floor: datetime, *, keeps_lease: bool
) -> Backfilled:
    now = utcnow()
    db.start_write(session)
    pace.note_success(session, app.id)
    row = session.get_one(Backfill, app.id, populate_existing=True, with_for_update=True)
    if row.lease != token:
        session.rollback()
        raise Conflict("Another has taken over this backfill.")
    if page is None:  # the walk stood still for a month: begin a new one
        row.floor = row.head = row.after = None
        seen = Backfilled(has_more=True)
    else:
        found = webhooks.take_listed(session, app, page.events)
        seen = Backfilled(listed=len(page.events), found=found, has_more=page.has_more)
        row.floor, row.head, row.after = floor, row.head or page.newest_at, page.last_id
        row.found += found
    row.last_error = None
    if not seen.has_more:
        _end_walk(row, app, now)
    if seen.has_more and keeps_lease:
        row.leased_until = now + LEASE
    else:
        row.lease = row.leased_until = None
    session.commit()
    if seen.found:
        log.info("backfilled", app=app.id, found=seen.found)
    return seen


def _end_walk(row: Backfill, app: App, now: datetime) -> None:
    is_whole = row.floor is not None and row.floor <= (row.cursor or app.created_at)
    if is_whole:  # a walk that somebody asked for may have been a shorter one
        row.cursor, row.last_run_at = max(filter(None, (row.cursor, row.head)), default=None), now
    row.floor = row.head = row.after = None
    interval = settings().pull_interval if settings().is_pulling else settings().backfill_interval
    row.next_run_at = now + timedelta(seconds=interval) * _dice.uniform(0.9, 1.0)


def _failed(session: Session, app: App, token: str, error: AppError) -> None:
    db.start_write(session)
    pace.note_failure(session, app.id, error)
    row = session.get_one(Backfill, app.id, populate_existing=True, with_for_update=True)
    if row.lease == token:
        row.last_error, row.lease, row.leased_until = error.detail, None, None
        row.next_run_at = utcnow() + AFTER_TROUBLE * _dice.uniform(0.5, 1.0)
    if isinstance(error, StripeKeyRejected):
        apps.note_key_state(session, apps.by_id(session, app.id), accepted=False)
    session.commit()


def _mark_unfinished(session: Session, app_id: str) -> None:
    """Have everybody looked at of whom an event may have been missed that Stripe no longer lists. Commits."""
    last = ""
    while ids := checkout.payers_with_unsettled(session, app_id, after=last, limit=GAP_BATCH):
        db.end_read(session)
        db.start_write(session)
        for payer_id in ids:
            schedule.look_within(session, payer_id, GAP_SPREAD, why="gap")
        session.commit()
        last = ids[-1]
    db.end_read(session)


def _count(session: Session, app: App, since: datetime | None) -> Backfilled:
    """What a walk would come to."""
    row = session.get(Backfill, app.id, populate_existing=True)
    floor = since or _floor(row or Backfill(), app)
    seen, after = Backfilled(has_more=True), None
    while seen.has_more:
        db.end_read(session)
        page = apps.connect(app).events(floor, after=after)
        found = webhooks.unknown(session, app, page.events)
        seen += Backfilled(listed=len(page.events), found=found, has_more=page.has_more)
        after = page.last_id
    db.end_read(session)
    return seen
