"""The Flask application: API, hosted pages and controls under one roof."""

from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, Response, send_from_directory
from werkzeug.exceptions import NotFound

from app.simulator import api, control, pages, portal

if TYPE_CHECKING:
    from app.simulator.simulator import Simulator


def make_app(simulator: "Simulator") -> Flask:
    """The WSGI callable of a simulator. Exceptions come out of it as they are, so that a faulted call
    looks to a transport in the same process like a broken connection.
    """
    app = Flask("app.simulator", template_folder=str(folder("templates")), static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    for part in (api, pages, portal, control):
        app.register_blueprint(part.blueprint(simulator))

    @app.errorhandler(404)
    def unknown(_error: NotFound) -> Response:
        return api.unknown_path(simulator)

    @app.get("/_static/simulator.css")
    def stylesheet() -> Response:
        return send_from_directory(folder("static"), "simulator.css", max_age=300)

    return app


def folder(name: str) -> Path:
    """templates or static: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).resolve().parent.parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name
