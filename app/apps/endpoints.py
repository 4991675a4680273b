"""Our webhook endpoints at Stripe: which are ours, which nobody knows any more, and how they are made."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.apps.models import App, SigningSecret
from app.core import db
from app.core.db import utcnow
from app.core.errors import Invalid
from app.gateway import Endpoint, StripeGateway, StripeObjectMissing

MANAGED_BY = "gangway"
NAMESPACE = "default"  # OpenMeter's word; there is one here
NAMESPACE_ID = "01J00000000000000000000000"  # where its API wants a ULID for it
YOUNG = timedelta(minutes=10)  # somebody may be about to record an endpoint that is younger


def webhook_url(public_url: str, app_id: str) -> str:
    """Where Stripe sends the events of an app; the path is OpenMeter's."""
    return f"{public_url}/api/v1/apps/{app_id}/stripe/webhook"


def make(stripe: StripeGateway, app_id: str, public_url: str, *, wanted: str) -> Endpoint:
    """Make an endpoint for an app; `wanted` names which, so that a repeat after a crash finds it.

    The signing secret is in the answer, in that of a repeat too.
    """
    made = stripe.create_webhook_endpoint(
        webhook_url(public_url, app_id),
        metadata={"managed_by": MANAGED_BY, "om_namespace": NAMESPACE, "om_app_id": app_id},
        idempotency_key=f"gangway-endpoint-{wanted}",
    )
    if made.secret is None:
        raise Invalid("Stripe answered without a signing secret.")
    return made


def delete(stripe: StripeGateway, endpoint_id: str) -> None:
    """Remove an endpoint; one that is gone already is as well."""
    try:
        stripe.delete_webhook_endpoint(endpoint_id)
    except StripeObjectMissing:
        return  # somebody was quicker


def known(session: Session) -> set[str]:
    """The endpoints with which an app of ours receives events, those of an overlap among them."""
    in_use = session.scalars(select(App.webhook_endpoint_id).where(App.deleted_at.is_(None)))
    accepted = session.scalars(select(SigningSecret.endpoint_id).where(SigningSecret.retired_at.is_(None)))
    return {endpoint_id for endpoint_id in (*in_use, *accepted) if endpoint_id is not None}


def strays(session: Session, there: list[Endpoint], public_url: str) -> list[Endpoint]:
    """Those of these endpoints that lead here and that no app of ours knows. Asks Stripe nothing.

    Ours are those with our mark and our URL; and whatever leads to the webhook of an installed app, since
    nothing that we can't verify is of any use there. One that may be recorded at any moment is none.
    """
    apps = set(session.scalars(select(App.id).where(App.deleted_at.is_(None))))
    urls = {webhook_url(public_url, app_id) for app_id in apps}
    in_use, now = known(session), utcnow()

    def is_stray(endpoint: Endpoint) -> bool:
        if endpoint.id in in_use:
            return False
        if endpoint.url in urls:
            return now - endpoint.created_at > YOUNG
        return endpoint.metadata.get("managed_by") == MANAGED_BY and endpoint.url.startswith(
            f"{public_url}/api/v1/apps/"
        )

    return [endpoint for endpoint in there if is_stray(endpoint)]


def sweep(session: Session, stripe: StripeGateway, public_url: str) -> int:
    """Delete the strays, as a killed installation leaves them. How many there were. Ends the transaction."""
    db.end_read(session)
    there = stripe.webhook_endpoints()
    found = strays(session, there, public_url)
    db.end_read(session)
    for stray in found:
        delete(stripe, stray.id)
    return len(found)
