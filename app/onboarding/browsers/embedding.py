"""The public pages inside a page of the company: on the origins that the profile lists, and nowhere else.

A separate cookie serves framed pages, because browsers keep the usual one out of a frame on another site. It
is partitioned, so the visitor of one frame is unknown on every other site. Stripe's page refuses frames, so a
link leads there in the whole window.
Source: https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/Cookies
"""

from typing import Any

from flask import Flask, Response, has_request_context, render_template, request
from flask.sessions import SessionMixin

from app import portal
from app.core.config import settings
from app.web.headers import content_security_policy
from app.web.page_cookie import PageSessions

PARAMETER = "embed"  # for browsers that do not say where a page is shown
DESTINATION = "Sec-Fetch-Dest"  # the header in which a browser says where it shows a page
FRAMES = {"iframe", "frame"}
BLUEPRINTS = {"onboarding", "billing"}
KNOWN = "gangway.is_framed"
UNFRAMED = ("/operator", "/api")


def init_app(app: Flask) -> None:
    """Let listed origins show the public pages in a frame."""
    app.session_interface = EmbeddedSessions()
    app.after_request(_allow_frames)
    app.after_request(_leave_frame)

    @app.context_processor
    def _context() -> dict[str, object]:
        embedded = is_embedded()
        return {"embedded": embedded, "is_framed": embedded and _says_framed()}

    @app.url_defaults
    def keep_embedded(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint.partition(".")[0] in BLUEPRINTS and is_embedded():
            values.setdefault(PARAMETER, "1")


def is_embedded() -> bool:
    """Is this page shown in a frame that the profile allows?"""
    return _is_framed() and bool(portal.current_profile().embed_origins)


def _is_framed() -> bool:
    """Does the browser say that it shows this page in a frame? Older ones do not; then the address counts."""
    if not has_request_context():
        return False
    environ = request.environ
    if KNOWN not in environ:  # each request is asked several times
        environ[KNOWN] = _find_framed()
    return bool(environ[KNOWN])


def _find_framed() -> bool:
    if request.path.startswith(UNFRAMED):
        return False
    is_document = request.headers.get(DESTINATION) == "document"
    return _says_framed() or (not is_document and request.args.get(PARAMETER) == "1")


def _says_framed() -> bool:
    """Does the browser itself say so? Then a page is sent without header and footer, else CSS hides them."""
    return request.headers.get(DESTINATION) in FRAMES


class EmbeddedSessions(PageSessions):
    """Keeps the visitor of a frame apart from the visitor of the whole window, and from operators."""

    def get_cookie_name(self, app: Flask) -> str:
        """Return the name of the cookie for this request."""
        name = super().get_cookie_name(app)
        return f"{name}-embedded" if _is_framed() else name

    def get_cookie_samesite(self, app: Flask) -> str | None:
        """Return `None` for a frame: other cookies do not reach a frame on another site."""
        return "None" if _is_framed() else super().get_cookie_samesite(app)

    def get_cookie_secure(self, app: Flask) -> bool:
        """Browsers take such cookies only if they are secure. On this machine, plain http will do."""
        return _is_framed() or super().get_cookie_secure(app)

    def get_cookie_partitioned(self, app: Flask) -> bool:
        """Keep the cookie to the site that shows the frame."""
        return _is_framed() or super().get_cookie_partitioned(app)

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """Set no such cookie where no origin may show the page."""
        return (not _is_framed() or is_embedded()) and super().should_set_cookie(app, session)


def _allow_frames(response: Response) -> Response:
    origins = portal.current_profile().embed_origins if request.blueprint in BLUEPRINTS else ()
    if origins:
        policy = content_security_policy(settings(), frame_ancestors=origins)
        response.headers["Content-Security-Policy"] = policy
        response.vary.add(DESTINATION)
    return response


def _leave_frame(response: Response) -> Response:
    """Show a link in place of a redirect to another site: only a person's click leaves the frame."""
    if response.status_code != 303 or request.blueprint not in BLUEPRINTS or not is_embedded():
        return response
    url = response.location or ""
    if url.startswith(("/", f"{settings().public_url}/")):
        return response
    del response.headers["Location"]
    response.status_code = 200
    response.set_data(render_template("onboarding/leave_frame.html", url=url))
    return response
