"""The visitor's signed cookie, which goes out with pages alone."""

from functools import lru_cache

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin

from app.web.input.signed import Serializer


class PageSessions(SecureCookieSessionInterface):
    """Flask's sessions, but for what caches may keep: that must carry nobody's cookie."""

    def get_signing_serializer(self, app: Flask) -> Serializer:
        """Return what signs the cookie, which is made once."""
        keys = (*app.config["SECRET_KEY_FALLBACKS"], app.config["SECRET_KEY"])
        return _serializer(keys)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Send the cookie with a page. What caches may keep must not bring it to somebody else."""
        may_be_kept = "max-age" in response.headers.get("Cache-Control", "")
        if request.endpoint != "static" and not may_be_kept:
            super().save_session(app, session, response)


@lru_cache(maxsize=64)
def _serializer(keys: tuple[str, ...]) -> Serializer:
    kind = SecureCookieSessionInterface
    how = {"key_derivation": kind.key_derivation, "digest_method": kind.digest_method}
    return Serializer(keys, kind.salt, serializer=kind.serializer, signer_kwargs=how)
