"""Rolling the signing secret: a second endpoint, a while in which both are accepted, the end of the first.

Stripe tells the secret of an endpoint only when it is made, so another secret means another endpoint. Both
get every event meanwhile, and the inbox keeps each once.
"""

from datetime import timedelta

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import audit
from app.apps import endpoints, queries
from app.apps.connections import connect, connections, secret_row
from app.apps.models import App, SigningSecret
from app.core import db
from app.core.db import utcnow
from app.core.errors import AppError, Invalid
from app.gateway import Endpoint

log = structlog.get_logger("gangway.apps")

OVERLAP = timedelta(hours=24)  # what Stripe itself gives at most when a secret is rolled there
MOST_MADE = 5


def roll_secret(
    session: Session,
    app_id: str,
    *,
    public_url: str,
    actor: str,
    endpoint_id: str | None = None,
    overlap: timedelta = OVERLAP,
) -> App:
    """Make a new endpoint with a secret of its own; the former one is accepted until the overlap is over.

    Where there is no endpoint, it is made.

    `endpoint_id` is the endpoint that is to be succeeded, as whoever asks has seen it: when another is in
    use by now, this has been done already and nothing more is. Flushes; the caller commits. Killed
    anywhere, it can be run again and finds the endpoint that it made.
    Raises NotFound, Invalid for an uninstalled app, and what the gateway raises.
    """
    app = queries.by_id(session, app_id)
    queries.refuse_uninstalled(app)
    former = app.webhook_endpoint_id
    db.end_read(session)
    if endpoint_id not in {None, former}:
        return app
    made = _successor(app, public_url)

    app = queries.to_change(session, app_id)
    if app.webhook_endpoint_id != former:  # somebody else was quicker, with the very same endpoint
        return app
    assert made.secret is not None
    now, secret_id = utcnow(), db.new_id()
    for secret in queries.secrets_of(session, app_id):
        secret.endpoint_id = secret.endpoint_id or former or None
        secret.retire_at = min(secret.retire_at or now + overlap, now + overlap)
    sealed = connections().sealer.seal(made.secret, secret_row(secret_id))
    session.add(SigningSecret(id=secret_id, app_id=app_id, endpoint_id=made.id, sealed=sealed))
    app.webhook_endpoint_id, app.webhook_changed_at = made.id, now
    audit.note(session, "app.secret_rolled", actor=actor, app_id=app_id, endpoint_id=made.id, former=former)
    session.flush()
    return app


def retire_secrets(session: Session) -> int:
    """End the overlaps that are over, in all apps: delete the former endpoints and forget their secrets.

    What Stripe does not let us delete now is left for the next time; its secret is not accepted any more,
    however long that takes. Commits after each; returns how many there were.
    """
    due = session.execute(
        select(SigningSecret.id, SigningSecret.app_id)
        .join(App, App.id == SigningSecret.app_id)
        .where(
            SigningSecret.retired_at.is_(None),
            SigningSecret.retire_at <= utcnow(),
            App.deleted_at.is_(None),
        )
    ).all()
    db.end_read(session)
    retired = 0
    for secret_id, app_id in due:
        try:
            retired += _retire(session, app_id, secret_id, actor="worker")
            session.commit()
        except AppError as error:
            session.rollback()
            log.warning("secret_not_retired", app=app_id, reason=error.detail)
    return retired


def end_overlap(session: Session, app_id: str, *, actor: str) -> int:
    """End the overlap of one app at once. Commits after each secret; returns how many there were.

    Raises NotFound, Invalid for an uninstalled app, and what the gateway raises.
    """
    queries.refuse_uninstalled(queries.by_id(session, app_id))
    former = [secret.id for secret in queries.secrets_of(session, app_id) if secret.retire_at is not None]
    db.end_read(session)
    retired = 0
    for secret_id in former:
        retired += _retire(session, app_id, secret_id, actor=actor)
        session.commit()
    return retired


def mend_endpoint(session: Session, app_id: str, *, public_url: str, actor: str) -> App:
    """Have the app's endpoint at Stripe enabled, with our URL and our events. Flushes; the caller commits.

    Raises NotFound, Invalid for an uninstalled app, StripeObjectMissing when there is no such endpoint, and
    what else the gateway raises.
    """
    app = queries.by_id(session, app_id)
    queries.refuse_uninstalled(app)
    db.end_read(session)
    mended = connect(app).mend_webhook_endpoint(
        app.webhook_endpoint_id, endpoints.webhook_url(public_url, app_id)
    )
    app = queries.to_change(session, app_id)
    app.webhook_changed_at = utcnow()
    audit.note(session, "app.endpoint_mended", actor=actor, app_id=app_id, endpoint_id=mended.id)
    session.flush()
    return app


def _successor(app: App, public_url: str) -> Endpoint:
    """The endpoint after the one in use; what a killed run has made is taken, if it is still there."""
    stripe = connect(app)
    for number in range(MOST_MADE):
        made = endpoints.make(
            stripe, app.id, public_url, wanted=f"{app.id}-after-{app.webhook_endpoint_id}-{number}"
        )
        if any(made.id == there.id for there in stripe.webhook_endpoints()):
            return made
    raise Invalid("Stripe goes on telling of webhook endpoints that were deleted.")


def _retire(session: Session, app_id: str, secret_id: str, *, actor: str) -> int:
    """Delete the endpoint of a former secret, then forget the secret. Ends the transaction in between."""
    app = queries.by_id(session, app_id)
    secret = session.get_one(SigningSecret, secret_id, populate_existing=True)
    endpoint_id = secret.endpoint_id
    db.end_read(session)
    if endpoint_id is not None and endpoint_id != app.webhook_endpoint_id:
        endpoints.delete(connect(app), endpoint_id)
    db.start_write(session)
    done = session.execute(
        update(SigningSecret)
        .where(SigningSecret.id == secret_id, SigningSecret.retired_at.is_(None))
        .values(retired_at=utcnow(), sealed="")
        .returning(SigningSecret.id)
    ).all()
    if done:
        audit.note(session, "app.secret_retired", actor=actor, app_id=app_id, endpoint_id=endpoint_id)
    session.flush()
    return len(done)
