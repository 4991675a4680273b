"""One safe repair for each finding that has one. Repeating a repair does no harm."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from app import apps, sync, webhooks
from app.core import db
from app.core.config import settings
from app.doctor.findings import State
from app.doctor.stripe_checks import ENDPOINT_LIMIT


def roll_secret(session: Session, app: apps.App, actor: str) -> None:
    """Create an endpoint with a new secret. The former one is accepted for a day.

    Delete our orphans first when Stripe allows no further endpoint.
    """
    stripe = apps.connect(app)
    db.end_read(session)
    if len(stripe.webhook_endpoints()) >= ENDPOINT_LIMIT:
        apps.delete_orphans(session, stripe, settings().public_url)
    apps.roll_secret(
        session,
        app.id,
        public_url=settings().public_url,
        actor=actor,
        endpoint_id=app.webhook_endpoint_id,
    )


def repair_endpoint(session: Session, app: apps.App, actor: str) -> None:
    """Enable the endpoint, with our URL and our events."""
    apps.repair_endpoint(session, app.id, public_url=settings().public_url, actor=actor)


def delete_orphans(session: Session, app: apps.App, _actor: str) -> None:
    """Delete the endpoints that lead here and that no app uses."""
    apps.delete_orphans(session, apps.connect(app), settings().public_url)


def end_overlap(session: Session, app: apps.App, actor: str) -> None:
    """Remove the former endpoints after their overlap."""
    apps.end_overlap(session, app.id, actor=actor)


def retry_dead(session: Session, app: apps.App, actor: str) -> None:
    """Retry the app's failed events."""
    webhooks.retry_all_failed(session, actor=actor, app_id=app.id)


def fetch_events(session: Session, app: apps.App, _actor: str) -> None:
    """Fetch from Stripe's list the events that were not delivered."""
    db.end_read(session)
    sync.backfill(session, app)


def make_default(session: Session, app: apps.App, actor: str) -> None:
    """Make this the default app."""
    apps.make_default(session, app.id, actor=actor)


REPAIRS: dict[tuple[str, State], Callable[[Session, apps.App, str], None]] = {
    ("backfill", State.AMBER): fetch_events,
    ("dead", State.RED): retry_dead,
    ("default", State.RED): make_default,
    ("deliveries", State.AMBER): fetch_events,
    ("deliveries", State.RED): roll_secret,
    ("duplicates", State.AMBER): delete_orphans,
    ("enabled", State.RED): repair_endpoint,
    ("endpoint", State.RED): roll_secret,
    ("events", State.AMBER): repair_endpoint,
    ("events", State.RED): repair_endpoint,
    ("rolling", State.AMBER): end_overlap,
    ("secrets", State.RED): roll_secret,
    ("url", State.RED): repair_endpoint,
    ("version", State.AMBER): roll_secret,
}
