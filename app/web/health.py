"""What machines ask: is the process alive, can it serve?"""

import sqlalchemy as sa
from flask import Blueprint, Response, jsonify

from app import db, migrations

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def process() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@bp.get("/readyz")
def ready() -> tuple[Response, int]:
    """The database answers and its tables are those of this version; 503 with the reason otherwise."""
    try:
        pending = migrations.pending()
    except sa.exc.SQLAlchemyError:
        return jsonify(status="unavailable", reasons=["The database does not answer."]), 503
    if pending:
        return jsonify(status="unavailable", reasons=["The database needs `gangway db upgrade`."]), 503
    db.session().execute(sa.text("SELECT 1"))
    return jsonify(status="ok"), 200
