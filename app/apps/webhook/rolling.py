"""Roll the signing secret: create a second endpoint, accept both for a while, then remove the first.

Stripe tells the secret of an endpoint only when it is made, so another secret means another endpoint. Both
get every event meanwhile, and the inbox keeps each once.
"""

from datetime import timedelta

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import audit
from app.apps import queries
from app.apps.connections import connect, connections, secret_row
from app.apps.models import App, SigningSecret
from app.apps.webhook import endpoints
from app.core import db
from app.core.db import utcnow
from app.core.errors import AppError, Invalid
from app.gateway import Endpoint

log = structlog.get_logger("gangway.apps")

OVERLAP = timedelta(hours=24)  # Stripe's own maximum
MAX_ENDPOINTS_MADE = 5


def roll_secret(
    session: Session,
    app_id: str,
    *,
    public_url: str,
    actor: str,
    endpoint_id: str | None = None,
    overlap: timedelta = OVERLAP,
) -> App:
    """Create a new endpoint with its own secret. The former one is accepted until the overlap ends. Flushes.

    `endpoint_id` is the endpoint to replace, as the caller has seen it. When the app uses another one by
    now, somebody has done this already, so do nothing. An interrupted run can run again: it finds the
    endpoint that it made. Raises NotFound, Invalid for an uninstalled app, and what the gateway raises.
    """
    app = queries.by_id(session, app_id)
    queries.refuse_uninstalled(app)
    former = app.webhook_endpoint_id
    db.end_read(session)
    if endpoint_id not in {None, former}:
        return app
    made = _successor(app, public_url)

    app = queries.to_change(session, app_id)
    if app.webhook_endpoint_id != former:  # somebody else was faster, with the same endpoint
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
    """End the overlaps that are over, in all apps: delete the former endpoints and their secrets.

    Try again later when Stripe refuses the deletion. The former secret is not accepted meanwhile. Commits
    after each. Return how many there were.
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
    """End the overlap of one app now. Commits after each secret. Return how many there were.

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


def repair_endpoint(session: Session, app_id: str, *, public_url: str, actor: str) -> App:
    """Have the app's endpoint at Stripe enabled, with our URL and our events. Flushes; the caller commits.

    Raises NotFound, Invalid for an uninstalled app, StripeObjectMissing when there is no such endpoint, and
    what else the gateway raises.
    """
    app = queries.by_id(session, app_id)
    queries.refuse_uninstalled(app)
    db.end_read(session)
    mended = connect(app).repair_webhook_endpoint(
        app.webhook_endpoint_id, endpoints.webhook_url(public_url, app_id)
    )
    app = queries.to_change(session, app_id)
    app.webhook_changed_at = utcnow()
    audit.note(session, "app.endpoint_mended", actor=actor, app_id=app_id, endpoint_id=mended.id)
    session.flush()
    return app


def _successor(app: App, public_url: str) -> Endpoint:
    """Return the endpoint after the current one, or the one that an interrupted run made, if it exists."""
    stripe = connect(app)
    for number in range(MAX_ENDPOINTS_MADE):
        made = endpoints.make(
            stripe, app.id, public_url, key=f"{app.id}-after-{app.webhook_endpoint_id}-{number}"
        )
        if any(made.id == there.id for there in stripe.webhook_endpoints()):
            return made
    raise Invalid("Stripe still lists webhook endpoints that were deleted.")


def _retire(session: Session, app_id: str, secret_id: str, *, actor: str) -> int:
    """Delete the endpoint of a former secret, then the secret. Ends the transaction in between."""
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
