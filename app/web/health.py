"""What machines ask: is the process alive?"""

from flask import Blueprint, Response, jsonify

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def process() -> Response:
    """The process answers."""
    return jsonify(status="ok")
