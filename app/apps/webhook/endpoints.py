"""Our webhook endpoints at Stripe: create, find and delete them."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.apps.models import App, SigningSecret
from app.core import db
from app.core.db import utcnow
from app.core.errors import Invalid
from app.gateway import Endpoint, StripeGateway, StripeObjectMissing

MANAGED_BY = "gangway"
NAMESPACE = "default"  # OpenMeter's word; we have one
NAMESPACE_ID = "01J00000000000000000000000"  # its ULID in OpenMeter's API
MIN_AGE = timedelta(minutes=10)  # of an orphan; an installation may still record a younger endpoint


def webhook_url(public_url: str, app_id: str) -> str:
    """Return the URL to which Stripe sends an app's events. The path is OpenMeter's."""
    return f"{public_url}/api/v1/apps/{app_id}/stripe/webhook"


def make(stripe: StripeGateway, app_id: str, public_url: str, *, key: str) -> Endpoint:
    """Create an endpoint for an app. `key` identifies it, so a repeat after a crash finds the same one.

    Every answer, also to a repeat, includes the signing secret.
    """
    made = stripe.create_webhook_endpoint(
        webhook_url(public_url, app_id),
        metadata={"managed_by": MANAGED_BY, "om_namespace": NAMESPACE, "om_app_id": app_id},
        idempotency_key=f"gangway-endpoint-{key}",
    )
    if made.secret is None:
        raise Invalid("Stripe answered without a signing secret.")
    return made


def delete(stripe: StripeGateway, endpoint_id: str) -> None:
    """Delete an endpoint, unless somebody has deleted it."""
    try:
        stripe.delete_webhook_endpoint(endpoint_id)
    except StripeObjectMissing:
        return  # somebody deleted it first


def known(session: Session) -> set[str]:
    """Return the ids of the endpoints that our apps use, also during an overlap."""
    in_use = session.scalars(select(App.webhook_endpoint_id).where(App.deleted_at.is_(None)))
    accepted = session.scalars(select(SigningSecret.endpoint_id).where(SigningSecret.retired_at.is_(None)))
    return {endpoint_id for endpoint_id in (*in_use, *accepted) if endpoint_id is not None}


def find_orphans(session: Session, endpoints: list[Endpoint], public_url: str) -> list[Endpoint]:
    """Return the endpoints that lead here and that no app uses. Asks Stripe nothing.

    Those are endpoints with our metadata and our URL, and others that lead to the webhook of an installed
    app, because we can't verify their events. A young endpoint of an app may still be recorded, so leave it
    out.
    """
    apps = set(session.scalars(select(App.id).where(App.deleted_at.is_(None))))
    urls = {webhook_url(public_url, app_id) for app_id in apps}
    in_use, now = known(session), utcnow()

    def is_orphan(endpoint: Endpoint) -> bool:
        if endpoint.id in in_use:
            return False
        if endpoint.url in urls:
            return now - endpoint.created_at > MIN_AGE
        return endpoint.metadata.get("managed_by") == MANAGED_BY and endpoint.url.startswith(
            f"{public_url}/api/v1/apps/"
        )

    return [endpoint for endpoint in endpoints if is_orphan(endpoint)]


def delete_orphans(session: Session, stripe: StripeGateway, public_url: str) -> int:
    """Delete the orphaned endpoints of interrupted installations. Return how many. Ends the transaction."""
    db.end_read(session)
    found = find_orphans(session, stripe.webhook_endpoints(), public_url)
    db.end_read(session)
    for orphan in found:
        delete(stripe, orphan.id)
    return len(found)
