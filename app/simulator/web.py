"""The Flask application: the API, the hosted pages and the controls."""

from flask import Flask, Response
from werkzeug.exceptions import NotFound

from app.simulator import api
from app.simulator.control import pages as control_pages
from app.simulator.engine import Engine
from app.simulator.pages import checkout, microdeposits, portal


def make_app(engine: Engine) -> Flask:
    """Make the WSGI callable of a simulator.

    It lets exceptions through. To a caller in the same process, a fault then looks like a broken connection.
    """
    app = Flask("app.simulator", static_url_path="/_static")
    app.url_map.merge_slashes = False  # it would answer `/v1//customers` with a page
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 300
    for part in (api, checkout, microdeposits, portal, control_pages):
        app.register_blueprint(part.blueprint(engine))

    @app.errorhandler(404)
    def unknown(_error: NotFound) -> Response:
        return api.unknown_path(engine)

    return app
