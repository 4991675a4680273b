"""Health, readiness and metrics."""

import hmac
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

import sqlalchemy as sa
from flask import Blueprint, Flask, Response, current_app, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST

from app.core import db, metrics
from app.core.config import is_loopback, settings
from app.monitoring import readiness
from app.monitoring.limit_storage import LimitStorage
from app.monitoring.rows import Rows

bp = Blueprint("monitoring", __name__)

FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")
MAX_WAIT = 5.0  # seconds; longer than it takes until a connection is given up
# A query of a stuck database may never end. It must not take the server's threads with it, and not
# keep the next looks from finding that all is well again.
_looks = ThreadPoolExecutor(4, thread_name_prefix="gangway-ready")


@bp.get("/healthz")
def health() -> Response:
    """Say that the process lives."""
    return jsonify(status="ok")


@bp.get("/readyz")
def ready() -> tuple[Response, int]:
    """This process can serve; 503 with the reasons otherwise, and soon, whatever the database does."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 (its only way)
    look = _looks.submit(_look, app)
    try:
        reasons, warnings = look.result(MAX_WAIT)
    except (sa.exc.SQLAlchemyError, TimeoutError):
        look.cancel()  # if it has not begun
        reasons, warnings = ["The database does not answer."], []
    if reasons:
        return jsonify(status="unavailable", reasons=reasons), 503
    if warnings:
        return jsonify(status="ok", warnings=warnings), 200
    return jsonify(status="ok"), 200


@bp.get("/metrics")
def numbers() -> Response:
    """Every number, in Prometheus' text format."""
    refusal = _refusal()
    if refusal is not None:
        return refusal
    return Response(
        metrics.current().exposition(Rows(db.session()), LimitStorage()), content_type=CONTENT_TYPE_LATEST
    )


def _look(app: Flask) -> tuple[list[str], list[str]]:
    with app.app_context():
        return readiness.reasons(db.session()), readiness.warnings()


def _refusal() -> Response | None:
    """Return the refusal for a caller without access, or None."""
    token = settings().metrics_token
    if token is None:
        # A proxy in front may pass requests on without a mark, and then all of them come from this machine.
        is_local = is_loopback(settings().public_url)
        if is_local and _is_from_this_machine():
            return None
        told = "Only this machine may read them. " if is_local else "Nobody may read them without a token. "
        told += "Set GANGWAY_METRICS_TOKEN, and send it as a bearer token.\n"
        return Response(told, 403, content_type="text/plain; charset=utf-8")
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    is_right = hmac.compare_digest(given.strip().encode(), token.get_secret_value().encode())
    if kind.lower() == "bearer" and is_right:
        return None
    told = "A bearer token is needed: the one in GANGWAY_METRICS_TOKEN.\n"
    refused = Response(told, 401, content_type="text/plain; charset=utf-8")
    refused.headers["WWW-Authenticate"] = "Bearer"
    return refused


def _is_from_this_machine() -> bool:
    """Is the caller here? What a proxy on this machine passes on is from elsewhere, and bears its mark."""
    try:
        is_loopback = ip_address(request.remote_addr or "").is_loopback
    except ValueError:  # a unix socket has no address
        is_loopback = False
    return is_loopback and not any(name in request.headers for name in FORWARDED)
