"""Where this portal is: at its public URL, whatever a request says. Forms may come only from there."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, request

from app.core.config import LOOPBACK, Settings
from app.core.errors import Forbidden
from app.web.languages import gettext
from app.web.languages import lazy_gettext as _

log = structlog.get_logger("gangway.web")

UNSAFE_METHODS = {"POST", "PUT", "PATCH", "DELETE"}
DEFAULT_PORTS = {"http": 80, "https": 443}

Origin = tuple[str, str, int | None]  # scheme, host, port


class ForeignForm(Forbidden):
    """Another site sent a form to this one."""

    title = _("That form came from another site")
    advice = _("Open the page on this site again, then fill in the form there.")


def init_app(app: Flask, settings: Settings) -> None:
    """Answer every request as one to the public URL, and refuse forms that another site sent.

    Programs bear a token that no browser sends on its own, so /api/ is left out.
    """
    public = urlsplit(settings.public_url)
    own = origin_of(settings.public_url)
    inner = app.wsgi_app

    def outer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        # The Host, the scheme and a prefix are what somebody sent: a proxy, or a stranger.
        environ["HTTP_HOST"] = public.netloc
        environ["wsgi.url_scheme"] = public.scheme
        environ["PATH_INFO"] = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        environ["SCRIPT_NAME"] = ""
        return inner(environ, start_response)

    app.wsgi_app = outer  # type: ignore[method-assign]

    @app.before_request
    def refuse_foreign_forms() -> None:
        if request.method not in UNSAFE_METHODS or request.path.startswith("/api/"):
            return
        sent_from = _sender()
        if sent_from is None or _is_own(sent_from, own):
            return
        log.warning("foreign_form", path=request.path, sent_from=sent_from, public_url=settings.public_url)
        raise ForeignForm(
            gettext(
                "Your browser sent it from a page outside %(address)s. Nothing was changed.",
                address=settings.public_url,
            )
        )

    @app.after_request
    def redirect_relatively(response: Response) -> Response:
        """A browser stays at the address that it knows: routing's own redirects are absolute."""
        location = response.location or ""
        path = location.removeprefix(settings.public_url)
        if path != location and path.startswith("/") and not path.startswith(("//", "/\\")):
            response.location = path
        return response


def origin_of(url: str) -> Origin | None:
    """The scheme, host and port of a URL; None for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, port or DEFAULT_PORTS[parts.scheme]


def _sender() -> str | None:
    """The address that a form was sent from; None when the browser does not say.

    A page that keeps its address to itself sends `Origin: null` even to its own site. Then the browser's own
    word counts, which no page can forge. Without any word the form's token decides alone.
    Source: https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
    """
    origin, referrer = request.headers.get("Origin"), request.headers.get("Referer")
    if origin is not None and origin != "null":
        return origin
    if referrer:
        return referrer
    site = request.headers.get("Sec-Fetch-Site")
    is_silent = origin is None and site in {None, "none"}
    return None if is_silent or site == "same-origin" else origin or "another site"


def _is_own(sent_from: str, own: Origin | None) -> bool:
    origin = origin_of(sent_from)
    if origin is None or own is None:
        return False
    # One machine has several names for itself, and a container another port.
    is_here = own[1] in LOOPBACK and origin[1] in LOOPBACK
    return origin == own or is_here
