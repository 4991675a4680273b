"""The API key of an app: check it, replace it, and record whether Stripe accepts it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from app import audit
from app.apps import queries
from app.apps.connections import api_key_row, connections
from app.apps.models import App
from app.core import db
from app.core.errors import Invalid
from app.gateway import (
    Account,
    Permission,
    StripeGateway,
    StripeKeyRejected,
    StripePermissionMissing,
    is_live,
)

KEY = re.compile(r"(sk|rk)_(test|live)_[A-Za-z0-9_]{4,255}")
UNKNOWN = "Stripe does not know this API key. Copy it again from the Dashboard."


class UnusableKey(Invalid):
    """The API key is not suitable, even if Stripe accepts it."""


def secret_key(api_key: str) -> str:
    """Return the key without spaces around it. Raises UnusableKey when it is not a secret key."""
    api_key = api_key.strip()
    if not KEY.fullmatch(api_key):
        raise UnusableKey(
            "This is not a secret Stripe key. Those begin with sk_test_, sk_live_, rk_test_ or rk_live_."
        )
    return api_key


def masked(api_key: str) -> str:
    """Return a key in the form that pages show."""
    return f"{api_key[:8]}***{api_key[-3:]}"


def account(stripe: StripeGateway) -> Account:
    """Return the account of a key. Raises StripeKeyRejected and StripePermissionMissing with advice."""
    try:
        return stripe.account()
    except StripeKeyRejected as error:
        raise StripeKeyRejected(UNKNOWN) from error
    except StripePermissionMissing as error:
        raise StripePermissionMissing(
            "Stripe knows this restricted key, but it has no permission to read the account, so"
            f" Gangway can't tell which account it opens. {error.detail}"
        ) from error


def missing_permissions(permissions: list[Permission]) -> list[Permission]:
    """Return the required permissions that the key lacks."""
    return [permission for permission in permissions if permission.ok is False and not permission.optional]


def permission_names(permissions: list[Permission]) -> str:
    """Return the names of permissions, for a sentence."""
    return ", ".join(f"{permission.area} ({permission.needed})" for permission in permissions)


def mode(*, livemode: bool) -> str:
    """Return the mode as a word."""
    return "live" if livemode else "test"


def replace_key(session: Session, app_id: str, api_key: str, *, actor: str) -> App:
    """Replace the key of an app with another one of its account and mode. Flushes.

    Try the new key first. A key that fails changes nothing.
    Raises NotFound, Invalid for an uninstalled app, UnusableKey for a key of another account or mode or with
    missing permissions, StripeKeyRejected and StripePermissionMissing.
    """
    app = queries.by_id(session, app_id)
    queries.refuse_uninstalled(app)
    db.end_read(session)
    api_key = secret_key(api_key)
    if is_live(api_key) is not app.livemode:
        raise UnusableKey(
            f"This app is in {mode(livemode=app.livemode)} mode, and this key belongs to the other mode."
        )
    stripe = connections().gateway_factory(api_key)
    found = account(stripe)
    if found.id != app.stripe_account_id:
        raise UnusableKey(f"This key belongs to Stripe account {found.id}, not to {app.stripe_account_id}.")
    missing = missing_permissions(stripe.permissions())
    if missing:
        raise UnusableKey(
            f"This key lacks permissions that Gangway needs: {permission_names(missing)}."
            " Add them in Stripe's Dashboard, or use another key."
        )

    app = queries.to_change(session, app_id)
    app.api_key_sealed = connections().sealer.seal(api_key, api_key_row(app.id))
    app.masked_api_key = masked(api_key)
    audit.note(session, "app.key_replaced", actor=actor, app_id=app.id, masked_key=app.masked_api_key)
    note_key_state(session, app, accepted=True)
    session.flush()
    return app


def note_key_state(session: Session, app: App, *, accepted: bool) -> None:
    """Record that Stripe accepted or rejected the app's key. Does not flush."""
    status = "ready" if accepted else "unauthorized"
    if app.status != status:
        app.status = status
        audit.note(session, f"app.{status}", actor="worker", app_id=app.id)


@contextmanager
def record_rejection(session: Session, app: App) -> Iterator[None]:
    """Record that Stripe rejects the app's key, if it does, and roll back everything else."""
    try:
        yield
    except StripeKeyRejected as error:
        session.rollback()
        db.start_write(session)
        note_key_state(session, app, accepted=False)
        session.commit()
        raise StripeKeyRejected(
            "Stripe rejected the API key of this app. Give the app a new key, then try again."
        ) from error
