"""No transaction is open while Stripe is asked: checked at every call that any test makes."""

from collections.abc import Callable
from typing import Any

from flask import current_app, has_app_context

from app.core import db


def forbid_open_transactions(stripe: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the simulated Stripe so that a request made inside a transaction fails the test."""

    def watched(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if has_app_context() and "gangway.sessions" in current_app.extensions:
            assert not db.session().in_transaction(), "a transaction is open while Stripe is asked"
        return stripe(environ, start_response)

    return watched
