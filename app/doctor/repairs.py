"""One safe repair for each finding that has one. Each may be made twice without harm."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from app import apps, sync, webhooks
from app.core import db
from app.core.config import settings
from app.doctor.findings import State
from app.doctor.there import ENDPOINT_LIMIT


def roll(session: Session, app: apps.App, actor: str) -> None:
    """Make an endpoint with a secret of its own; the former one, if there is one, is accepted for a day.

    Where Stripe allows no further endpoint, our own orphans are deleted first.
    """
    stripe = apps.connect(app)
    db.end_read(session)
    if len(stripe.webhook_endpoints()) >= ENDPOINT_LIMIT:
        apps.sweep(session, stripe, settings().public_url)
    apps.roll_secret(
        session,
        app.id,
        public_url=settings().public_url,
        actor=actor,
        endpoint_id=app.webhook_endpoint_id,
    )


def mend(session: Session, app: apps.App, actor: str) -> None:
    """Set the endpoint right: enabled, our URL, our events."""
    apps.mend_endpoint(session, app.id, public_url=settings().public_url, actor=actor)


def delete_strays(session: Session, app: apps.App, _actor: str) -> None:
    """Delete the endpoints that lead here and that nobody knows."""
    apps.sweep(session, apps.connect(app), settings().public_url)


def end_overlap(session: Session, app: apps.App, actor: str) -> None:
    """Remove the former endpoints, whose time is over."""
    apps.end_overlap(session, app.id, actor=actor)


def retry_dead(session: Session, app: apps.App, actor: str) -> None:
    """Have the app's events that were given up looked at again."""
    webhooks.retry_all_failed(session, actor=actor, app_id=app.id)


def fetch(session: Session, app: apps.App, _actor: str) -> None:
    """Fetch from Stripe's list what no delivery brought."""
    db.end_read(session)
    sync.backfill(session, app)


def take_default(session: Session, app: apps.App, actor: str) -> None:
    """Make this the default app, where none is."""
    apps.make_default(session, app.id, actor=actor)


REPAIRS: dict[tuple[str, State], Callable[[Session, apps.App, str], None]] = {
    ("backfill", State.AMBER): fetch,
    ("dead", State.RED): retry_dead,
    ("default", State.RED): take_default,
    ("deliveries", State.AMBER): fetch,
    ("deliveries", State.RED): roll,
    ("duplicates", State.AMBER): delete_strays,
    ("enabled", State.RED): mend,
    ("endpoint", State.RED): roll,
    ("events", State.AMBER): mend,
    ("events", State.RED): mend,
    ("rolling", State.AMBER): end_overlap,
    ("secrets", State.RED): roll,
    ("url", State.RED): mend,
    ("version", State.AMBER): roll,
}
