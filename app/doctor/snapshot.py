"""Take a snapshot of an app for its examination: our rows, then Stripe's answers. It judges nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import apps, migrations, outbox, sync
from app.core import db
from app.core.config import is_public, settings
from app.core.db import utcnow
from app.core.errors import AppError
from app.core.secrets import resealing
from app.doctor.orphans import DEFAULT_MAX_PAGES, Orphans, find_orphans
from app.gateway import (
    Account,
    Endpoint,
    Permission,
    SentEvent,
    StripeGateway,
    StripeKeyRejected,
    StripeUnavailable,
)
from app.web import mail
from app.web.addresses import proxies
from app.webhooks import Event

LATE_AFTER = timedelta(minutes=5)  # an unfinished event is late after so long
DELIVERY_GRACE = timedelta(seconds=10)  # younger events may still be on their way
LOOKBACK = timedelta(days=1)

Answer = TypeVar("Answer")


@dataclass
class Snapshot:
    """One app, and everything that its findings need. None means that Stripe did not say; see `refused`."""

    app: apps.App
    now: datetime
    public_url: str
    url_is_reachable: bool
    proxy_doubt: str | None
    database_doubt: str | None
    is_pulling: bool
    default: apps.App | None
    key_is_unreadable: bool  # no encryption key opens it
    secret_is_unreadable: bool
    under_old_keys: Mapping[str, int]  # by table: how many secrets only an old encryption key opens
    secrets: list[apps.SigningSecret]
    late: int  # unfinished events
    late_since: datetime | None
    dead: int
    last_webhook: datetime | None
    fetched: int  # events of the last day that no webhook delivered
    fetched_at: datetime | None
    backfill: sync.Backfill | None
    sends_email: bool
    email_since: datetime | None  # since when the oldest email waits

    silence: AppError | None = None  # why we asked Stripe nothing more
    refused: dict[str, str] = field(default_factory=dict)  # what the key may not read, in Stripe's words
    account: Account | None = None
    permissions: list[Permission] | None = None
    skew: float | None = None
    endpoints: list[Endpoint] | None = None
    orphaned_endpoints: list[Endpoint] = field(default_factory=list)
    sent: list[SentEvent] | None = None  # since our last change of the webhook
    arrived: set[str] = field(default_factory=set)  # those of them that the webhook delivered
    on_their_way: int = 0  # too young to be missing
    orphan_customers: Orphans | None = None

    @property
    def is_proved(self) -> bool:
        """Has a signed event arrived since our last change of the webhook?"""
        since = self.app.webhook_changed_at or self.app.created_at
        return self.last_webhook is not None and self.last_webhook >= since

    @property
    def endpoint(self) -> Endpoint | None:
        """The app's own endpoint, if Stripe has it."""
        own = self.app.webhook_endpoint_id
        return next((endpoint for endpoint in self.endpoints or () if endpoint.id == own), None)


def take(session: Session, app: apps.App, *, every_customer: bool = False) -> Snapshot:
    """Read our rows, then ask Stripe. Note what Stripe refuses, and continue. Ends the transaction.

    Look for orphans among the newest customers of the account, or among all: one call for each hundred.
    """
    snapshot = _our_side(session, app)
    db.end_read(session)
    if snapshot.key_is_unreadable:
        return snapshot
    stripe = apps.connect(app)
    snapshot.account = _ask(snapshot, "account", stripe.account)
    snapshot.permissions = _ask(snapshot, "permissions", stripe.permissions)
    snapshot.skew = _ask(snapshot, "clock", stripe.clock_skew)
    snapshot.endpoints = _ask(snapshot, "endpoints", stripe.webhook_endpoints)
    _deliveries(session, snapshot, stripe)
    if snapshot.endpoints is not None:
        snapshot.orphaned_endpoints = apps.find_orphans(session, snapshot.endpoints, snapshot.public_url)
        db.end_read(session)
    pages = None if every_customer else DEFAULT_MAX_PAGES
    snapshot.orphan_customers = _ask(snapshot, "customers", lambda: find_orphans(session, app, pages=pages))
    db.end_read(session)
    return snapshot


def _our_side(session: Session, app: apps.App) -> Snapshot:
    now, public_url = utcnow(), settings().public_url
    key_is_unreadable, secret_is_unreadable = apps.unreadable_secrets(session, app)
    unfinished = (
        Event.app_id == app.id,
        Event.state.in_(("new", "waiting")),
        Event.received_at < now - LATE_AFTER,
    )
    late, late_since = session.execute(
        sa.select(sa.func.count(), sa.func.min(Event.received_at)).where(*unfinished)
    ).one()
    fetched = (Event.app_id == app.id, Event.origin == "backfill", Event.received_at > now - LOOKBACK)
    many_fetched, fetched_at = session.execute(
        sa.select(sa.func.count(), sa.func.max(Event.received_at)).where(*fetched)
    ).one()
    return Snapshot(
        app=app,
        now=now,
        public_url=public_url,
        url_is_reachable=is_public(public_url) or settings().is_simulated,
        proxy_doubt=proxies.current_doubt(),
        database_doubt=migrations.unfit(),
        is_pulling=settings().is_pulling,
        default=apps.default(session),
        key_is_unreadable=key_is_unreadable,
        secret_is_unreadable=secret_is_unreadable,
        under_old_keys=resealing.under_old_keys(session),
        secrets=apps.secrets_of(session, app.id),
        late=late,
        late_since=late_since,
        dead=session.scalars(
            sa.select(sa.func.count()).where(Event.app_id == app.id, Event.state == "dead")
        ).one(),
        last_webhook=session.scalar(
            sa.select(Event.received_at)
            .where(Event.app_id == app.id, Event.origin == "webhook")
            .order_by(Event.received_at.desc())
            .limit(1)
        ),
        fetched=many_fetched,
        fetched_at=fetched_at,
        backfill=session.get(sync.Backfill, app.id),
        sends_email=mail.sender() is not None,
        email_since=outbox.oldest_waiting(session),
    )


def _deliveries(session: Session, snapshot: Snapshot, stripe: StripeGateway) -> None:
    if snapshot.is_pulling:
        return
    since = max(snapshot.now - LOOKBACK, snapshot.app.webhook_changed_at or snapshot.app.created_at)
    sent = _ask(snapshot, "events", lambda: stripe.sent_events(since))
    if sent is None:
        return
    # Stripe may have sent events of this second in the former way.
    fresh = [event for event in sent if event.created_at > since]
    snapshot.sent = [event for event in fresh if event.created_at < snapshot.now - DELIVERY_GRACE]
    snapshot.arrived = set(
        session.scalars(
            sa.select(Event.id).where(
                Event.app_id == snapshot.app.id,
                Event.origin == "webhook",
                Event.id.in_([event.id for event in fresh]),
            )
        )
    )
    young = [event for event in fresh if event not in snapshot.sent]
    snapshot.on_their_way = sum(event.pending > 0 and event.id not in snapshot.arrived for event in young)
    db.end_read(session)


def _ask(snapshot: Snapshot, what: str, question: Callable[[], Answer]) -> Answer | None:
    """Return Stripe's answer. Note a refusal. Ask nothing more after Stripe did not answer."""
    if snapshot.silence is not None:
        return None
    try:
        return question()
    except (StripeKeyRejected, StripeUnavailable) as error:
        snapshot.silence = error
    except AppError as error:
        snapshot.refused[what] = error.detail
    return None
