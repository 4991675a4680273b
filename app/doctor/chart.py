"""What is known of an app when it is examined: our rows, then Stripe's answers. Nothing is judged here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import apps, sync
from app.core import db, resealing
from app.core.config import is_public, settings
from app.core.db import utcnow
from app.core.errors import AppError
from app.gateway import (
    Account,
    Endpoint,
    Right,
    SentEvent,
    StripeGateway,
    StripeKeyRejected,
    StripeUnavailable,
)
from app.web import proxies
from app.webhooks import Event

LATE = timedelta(minutes=5)  # an event that is unfinished for longer than that waits for something
ON_ITS_WAY = timedelta(seconds=10)  # what Stripe made since may well be about to arrive
LOOKED_BACK = timedelta(days=1)

Answer = TypeVar("Answer")


@dataclass
class Chart:
    """One app, and all that its findings are made from. What is None could not be asked; see `refused`."""

    app: apps.App
    now: datetime
    public_url: str
    url_is_reachable: bool
    proxy_doubt: str | None
    is_pulling: bool
    default: apps.App | None
    key_is_shut: bool  # no encryption key of ours opens it
    secret_is_shut: bool
    under_old_keys: Mapping[str, int]  # by table, the secrets that only an old encryption key opens
    secrets: list[apps.SigningSecret]
    late: int  # unfinished events
    late_since: datetime | None
    dead: int
    last_webhook: datetime | None
    fetched: int  # events of the last day that no webhook had brought
    fetched_at: datetime | None
    backfill: sync.Backfill | None

    silence: AppError | None = None  # why nothing more was asked of Stripe
    refused: dict[str, str] = field(default_factory=dict)  # what the key may not ask, in Stripe's words
    account: Account | None = None
    rights: list[Right] | None = None
    skew: float | None = None
    endpoints: list[Endpoint] | None = None
    strays: list[Endpoint] = field(default_factory=list)
    sent: list[SentEvent] | None = None  # since our webhook is as it is
    arrived: set[str] = field(default_factory=set)  # those of them that the webhook brought
    on_their_way: int = 0  # those that are too young to be missed
    stray_customers: sync.Orphans | None = None

    @property
    def is_proved(self) -> bool:
        """Has a signed event arrived since the webhook is as it is?"""
        since = self.app.webhook_changed_at or self.app.created_at
        return self.last_webhook is not None and self.last_webhook >= since

    @property
    def endpoint(self) -> Endpoint | None:
        """The app's own endpoint, if Stripe has it."""
        own = self.app.webhook_endpoint_id
        return next((there for there in self.endpoints or () if there.id == own), None)


def examine(session: Session, app: apps.App, *, every_customer: bool = False) -> Chart:
    """Read our rows, then ask Stripe. Ends the transaction; what Stripe says no to is noted and gone past.

    Orphans are looked for among the newest customers of the account, or among all: a call for each hundred.
    """
    chart = _our_side(session, app)
    db.end_read(session)
    if chart.key_is_shut:
        return chart
    stripe = apps.connect(app)
    chart.account = _ask(chart, "account", stripe.account)
    chart.rights = _ask(chart, "rights", stripe.rights)
    chart.skew = _ask(chart, "clock", stripe.clock_skew)
    chart.endpoints = _ask(chart, "endpoints", stripe.webhook_endpoints)
    _deliveries(session, chart, stripe)
    if chart.endpoints is not None:
        chart.strays = apps.strays(session, chart.endpoints, chart.public_url)
        db.end_read(session)
    pages = None if every_customer else sync.DEFAULT_MAX_PAGES
    chart.stray_customers = _ask(chart, "customers", lambda: sync.find_orphans(session, app, pages=pages))
    db.end_read(session)
    return chart


def _our_side(session: Session, app: apps.App) -> Chart:
    now, public_url = utcnow(), settings().public_url
    key_is_shut, secret_is_shut = apps.unsealable(session, app)
    unfinished = (Event.app_id == app.id, Event.state.in_(("new", "waiting")), Event.received_at < now - LATE)
    late, late_since = session.execute(
        sa.select(sa.func.count(), sa.func.min(Event.received_at)).where(*unfinished)
    ).one()
    fetched = (Event.app_id == app.id, Event.origin == "backfill", Event.received_at > now - LOOKED_BACK)
    many_fetched, fetched_at = session.execute(
        sa.select(sa.func.count(), sa.func.max(Event.received_at)).where(*fetched)
    ).one()
    return Chart(
        app=app,
        now=now,
        public_url=public_url,
        url_is_reachable=is_public(public_url) or settings().is_simulated,
        proxy_doubt=proxies.current_doubt(),
        is_pulling=settings().is_pulling,
        default=apps.default(session),
        key_is_shut=key_is_shut,
        secret_is_shut=secret_is_shut,
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
    )


def _deliveries(session: Session, chart: Chart, stripe: StripeGateway) -> None:
    if chart.is_pulling:
        return
    since = max(chart.now - LOOKED_BACK, chart.app.webhook_changed_at or chart.app.created_at)
    sent = _ask(chart, "events", lambda: stripe.sent_events(since))
    if sent is None:
        return
    # What was made in the very second may have been sent by the old ways still.
    fresh = [event for event in sent if event.created_at > since]
    chart.sent = [event for event in fresh if event.created_at < chart.now - ON_ITS_WAY]
    chart.arrived = set(
        session.scalars(
            sa.select(Event.id).where(
                Event.app_id == chart.app.id,
                Event.origin == "webhook",
                Event.id.in_([event.id for event in fresh]),
            )
        )
    )
    young = [event for event in fresh if event not in chart.sent]
    chart.on_their_way = sum(event.pending > 0 and event.id not in chart.arrived for event in young)
    db.end_read(session)


def _ask(chart: Chart, what: str, question: Callable[[], Answer]) -> Answer | None:
    """Stripe's answer. A refusal is noted; after a silence nothing more is asked."""
    if chart.silence is not None:
        return None
    try:
        return question()
    except (StripeKeyRejected, StripeUnavailable) as error:
        chart.silence = error
    except AppError as error:
        chart.refused[what] = error.detail
    return None
