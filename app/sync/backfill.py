"""Find the events that no webhook delivered, in Stripe's list of events.

They go into the inbox, and then the usual way. A run reads from the newest event back to where the last run
began, and some time further, because Stripe may list an event later than newer ones.
"""

from datetime import datetime, timedelta
from random import SystemRandom

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from app import apps, checkout, webhooks
from app.apps import App
from app.core import db
from app.core.config import settings
from app.core.database import statements
from app.core.db import utcnow
from app.core.errors import AppError, Conflict
from app.core.values import frozen
from app.gateway import EventPage, StripeKeyRejected, StripeRefused
from app.sync import schedule, throttle
from app.sync.leases import Leasing
from app.sync.models import Backfill, RateBudget

log = structlog.get_logger("gangway.backfill")

STRIPE_RETENTION = timedelta(days=30)  # Stripe lists no older events
LEASE_DURATION = timedelta(minutes=1)  # one page takes far less time
RETRY_DELAY = timedelta(minutes=1)
GAP_SPREAD = timedelta(hours=1)
GAP_BATCH = 500
MAX_CLOCK_SKEW = timedelta(hours=1)  # our clock may be ahead of Stripe's by so much
_random = SystemRandom()
_leasing = Leasing(Backfill, Backfill.app_id, duration=LEASE_DURATION)


@frozen
class BackfillLease:
    """The right to read an app's list until the lease runs out."""

    app_id: str
    token: str


@frozen(kw_only=True)
class BackfillResult:
    """What a run found in Stripe's list."""

    listed: int = 0  # events of the types that we use
    found: int = 0  # listed events that no webhook had delivered
    has_more: bool = False  # is there more, further back?

    def __add__(self, later: "BackfillResult") -> "BackfillResult":
        """Add up two parts of a run."""
        return BackfillResult(
            listed=self.listed + later.listed, found=self.found + later.found, has_more=later.has_more
        )


def backfill(
    session: Session, app: App, *, since: datetime | None = None, dry_run: bool = False
) -> BackfillResult:
    """Read an app's whole list now, back to the last run or to `since`. A dry run only counts.

    Ends the transaction, and commits each page. Raises Conflict when another worker reads the list, and what
    the gateway raises.
    """
    db.end_read(session)
    if dry_run:
        return _count(session, app, since)
    token = _claim(session, app.id, since=since)
    if token is None:
        raise Conflict("A backfill of this app is already running. Try again in a minute.")
    seen = BackfillResult(has_more=True)
    while seen.has_more:
        seen += _read_page(session, app, token, keeps_lease=True)
    return seen


def claim_list(session: Session) -> BackfillLease | None:
    """Take the lease of the list that has been due longest. Return None when no list is due. Commits."""
    now = utcnow()
    app_id = session.scalar(_next_app(now))
    db.end_read(session)
    if app_id is None:
        return None
    db.start_write(session)
    is_allowed = throttle.reserve(session, app_id, now, calls=1)
    session.commit()
    token = _claim(session, app_id, scheduled=True) if is_allowed else None
    return BackfillLease(app_id, token) if token else None


def read_next_page(session: Session, lease: BackfillLease) -> None:
    """Read the next page of a list, and release its lease. Commits."""
    app = apps.by_id(session, lease.app_id)
    db.end_read(session)
    try:
        _read_page(session, app, lease.token)
    except AppError as error:
        log.warning("backfill_failed", app=lease.app_id, reason=error.detail)


def release_list(session: Session, lease: BackfillLease) -> None:
    """Release an unused lease, unless another worker has it by now. Commits."""
    _leasing.release(session, lease.app_id, lease.token)


def request_all_lists(session: Session) -> None:
    """Make every list due: a worker has started, perhaps after a long time. Commits."""
    db.start_write(session)
    now = utcnow()
    statements.update_all(session, Backfill, Backfill.next_run_at > now, next_run_at=now)
    session.commit()


def request_backfill(session: Session, app_id: str) -> None:
    """Make one app's list due. The caller commits."""
    statements.update_all(session, Backfill, Backfill.app_id == app_id, next_run_at=utcnow())


def _next_app(now: datetime) -> sa.Select[str]:
    return (
        sa.select(App.id)
        .outerjoin(RateBudget, RateBudget.app_id == App.id)
        .outerjoin(Backfill, Backfill.app_id == App.id)
        .where(
            throttle.may_call(now),
            sa.or_(Backfill.app_id.is_(None), sa.and_(_is_due(now), _leasing.is_free(now))),
        )
        .order_by(sa.func.coalesce(Backfill.next_run_at, App.created_at))
        .limit(1)
    )


def _is_due(now: datetime) -> sa.ColumnElement[bool]:
    return Backfill.next_run_at <= now


def _claim(
    session: Session, app_id: str, *, since: datetime | None = None, scheduled: bool = False
) -> str | None:
    """Take the lease of an app's list. Return None when another worker has it or has just read it."""
    now = utcnow()
    restart = {"floor": since, "head": None, "after": None} if since is not None else {}
    db.start_write(session)
    session.execute(
        db.insert(session, Backfill).values(app_id=app_id, next_run_at=now, found=0).on_conflict_do_nothing()
    )
    which = [Backfill.app_id == app_id, _leasing.is_free(now), *([_is_due(now)] if scheduled else [])]
    taken = _leasing.take(session, sa.and_(*which), **restart)
    session.commit()
    return taken[0] if taken else None


def _read_page(session: Session, app: App, token: str, *, keeps_lease: bool = False) -> BackfillResult:
    """Read the next page of a run. Store its new events and the position of the run in one commit."""
    row = session.get_one(Backfill, app.id, populate_existing=True)
    floor, after, has_begun = _floor(row, app), row.after, row.floor is not None
    is_gap = not has_begun and utcnow() - (row.last_run_at or app.created_at) > STRIPE_RETENTION
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
        log.exception("backfill_error", app=app.id)
        failure = AppError(f"Stripe's list could not be understood or stored ({type(error).__name__}).")
        _failed(session, app, token, failure)
        raise failure from error


def _floor(row: Backfill, app: App) -> datetime:
    """Return how far back a run goes. The first run goes back to the app's installation."""
    overlap = timedelta(seconds=settings().backfill_overlap)
    return row.floor or (row.cursor or app.created_at - MAX_CLOCK_SKEW) - overlap


def _listed(app: App, floor: datetime, after: str | None) -> EventPage | None:
    """Return a page, or None when Stripe no longer lists the event after which it would begin."""
    try:
        return apps.connect(app).events(floor, after=after)
    except StripeRefused as error:
        if "starting_after" not in error.fields:
            raise
        return None


def _store(
    session: Session, app: App, token: str, page: EventPage | None, floor: datetime, *, keeps_lease: bool
) -> BackfillResult:
    now = utcnow()
    db.start_write(session)
    throttle.note_success(session, app.id)
    row = session.get_one(Backfill, app.id, populate_existing=True, with_for_update=True)
    if row.lease != token:
        session.rollback()
        raise Conflict("Another worker has taken over this backfill.")
    if page is None:  # the run stood still for a month: begin a new one
        row.floor = row.head = row.after = None
        seen = BackfillResult(has_more=True)
    else:
        found = webhooks.store_listed(session, app, page.events)
        seen = BackfillResult(listed=len(page.events), found=found, has_more=page.has_more)
        row.floor, row.head, row.after = floor, row.head or page.newest_at, page.last_id
        row.found += found
    row.last_error = None
    if not seen.has_more:
        _end_run(row, app, now)
    if seen.has_more and keeps_lease:
        row.leased_until = now + LEASE_DURATION
    else:
        row.lease = row.leased_until = None
    session.commit()
    if seen.found:
        log.info("backfilled", app=app.id, found=seen.found)
    return seen


def _end_run(row: Backfill, app: App, now: datetime) -> None:
    full = row.floor is not None and row.floor <= (row.cursor or app.created_at)
    if full:  # a run with `since` may have been shorter
        row.cursor, row.last_run_at = max(filter(None, (row.cursor, row.head)), default=None), now
    row.floor = row.head = row.after = None
    interval = settings().pull_interval if settings().is_pulling else settings().backfill_interval
    row.next_run_at = now + timedelta(seconds=interval) * _random.uniform(0.9, 1.0)


def _failed(session: Session, app: App, token: str, error: AppError) -> None:
    db.start_write(session)
    throttle.note_failure(session, app.id, error)
    row = session.get_one(Backfill, app.id, populate_existing=True, with_for_update=True)
    if row.lease == token:
        row.last_error, row.lease, row.leased_until = error.detail, None, None
        row.next_run_at = utcnow() + RETRY_DELAY * _random.uniform(0.5, 1.0)
    if isinstance(error, StripeKeyRejected):
        apps.note_key_state(session, apps.by_id(session, app.id), accepted=False)
    session.commit()


def _mark_unfinished(session: Session, app_id: str) -> None:
    """Check all payers with events that may be older than Stripe's list. Commits."""
    last = ""
    while ids := checkout.payers_with_unsettled(session, app_id, after=last, limit=GAP_BATCH):
        db.start_write(session)
        for payer_id in ids:
            schedule.check_within(session, payer_id, GAP_SPREAD, why="gap")
        session.commit()
        last = ids[-1]
    db.end_read(session)


def _count(session: Session, app: App, since: datetime | None) -> BackfillResult:
    """Count what a run would find."""
    row = session.get(Backfill, app.id, populate_existing=True)
    floor = since or _floor(row or Backfill(), app)
    seen, after = BackfillResult(has_more=True), None
    while seen.has_more:
        db.end_read(session)
        page = apps.connect(app).events(floor, after=after)
        found = webhooks.count_unknown(session, app, page.events)
        seen += BackfillResult(listed=len(page.events), found=found, has_more=page.has_more)
        after = page.last_id
    db.end_read(session)
    return seen
