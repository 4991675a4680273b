"""The address to which Stripe posts its events. Nothing slow happens before the answer."""

from flask import Blueprint, Response, current_app, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from app import apps, gateway
from app.core import db
from app.core.errors import Invalid, NotFound
from app.webhooks.store import store_verified
from app.webhooks.store_new import store_new

bp = Blueprint("webhooks", __name__)

MAX_BODY_BYTES = 512 * 1024  # bytes; OpenMeter's limit
MAX_SIGNATURE_LENGTH = 4096


@bp.post("/api/v1/apps/<app_id>/stripe/webhook")
def receive(app_id: str) -> Response:
    """Check the signature, store the event, commit, wake the worker and answer."""
    request.max_content_length = MAX_BODY_BYTES + 1  # cuts a body of unknown length
    header = request.headers.get("Stripe-Signature", "")
    if not header or len(header) > MAX_SIGNATURE_LENGTH:
        raise Invalid("The Stripe-Signature header is missing or malformed.")
    payload = request.get_data()
    if len(payload) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    if not db.is_id(app_id):
        raise NotFound("There is no such app.")
    stored = store_new(app_id, payload, header)
    ignored_because = stored.ignored_because if stored else _look_and_store(app_id, payload, header)
    if ignored_because is None:
        current_app.extensions["gangway.worker"].wake()
    message = f"Stored, and ignored. {ignored_because}" if ignored_because else "Stored."
    return jsonify(namespaceId=apps.NAMESPACE_ID, appId=app_id, message=message)


def _look_and_store(app_id: str, payload: bytes, header: str) -> str | None:
    """Check the signature against the secrets in the database, store the event and commit."""
    session = db.session()
    receiver = apps.receiver(session, app_id)
    gateway.verify(payload, header, receiver.secrets)
    db.start_write(session)
    ignored_because = store_verified(session, receiver, payload)
    session.commit()
    return ignored_because
