"""The API key of an app: what is one, whose it is, another in its place, and whether Stripe takes it."""

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
from app.gateway import Account, Right, StripeGateway, StripeKeyRejected, StripePermissionMissing, is_live

KEY = re.compile(r"(sk|rk)_(test|live)_[A-Za-z0-9_]{4,255}")
UNKNOWN = "Stripe does not know this API key. Copy it again from the Dashboard."


class KeyUnfit(Invalid):
    """The API key is not one with which this can be done; Stripe may know it."""


def secret_key(api_key: str) -> str:
    """The key without spaces around it. Raises KeyUnfit for what is no secret key."""
    api_key = api_key.strip()
    if not KEY.fullmatch(api_key):
        raise KeyUnfit(
            "This is no secret Stripe key: it begins with sk_test_, sk_live_, rk_test_ or rk_live_."
        )
    return api_key


def masked(api_key: str) -> str:
    """A key as it may be shown."""
    return f"{api_key[:8]}***{api_key[-3:]}"


def account(stripe: StripeGateway) -> Account:
    """Whose key this is. Raises StripeKeyRejected and StripePermissionMissing in words for its owner."""
    try:
        return stripe.account()
    except StripeKeyRejected as error:
        raise StripeKeyRejected(UNKNOWN) from error
    except StripePermissionMissing as error:
        raise StripePermissionMissing(
            "Stripe knows this restricted key, but it may not read the account, and without that"
            f" Gangway can't tell which account it opens. {error.detail}"
        ) from error


def lacking(rights: list[Right]) -> list[Right]:
    """The rights without which something does not work, and which the key has not."""
    return [right for right in rights if right.ok is False and not right.optional]


def listed(rights: list[Right]) -> str:
    """Rights in a sentence."""
    return ", ".join(f"{right.area} ({right.needed})" for right in rights)


def mode(*, livemode: bool) -> str:
    """The mode in a word."""
    return "live" if livemode else "test"


def replace_key(session: Session, app_id: str, api_key: str, *, actor: str) -> App:
    """Let an app speak with another key of its account and mode from now on. Flushes; the caller commits.

    The new key is tried first. One that does not fit changes nothing: the app goes on with the one it has.
    Raises NotFound, Invalid for an uninstalled app, KeyUnfit for a key of another account or mode or without
    a right that is needed, StripeKeyRejected and StripePermissionMissing.
    """
    app = queries.by_id(session, app_id)
    queries.refuse_uninstalled(app)
    db.end_read(session)
    api_key = secret_key(api_key)
    if is_live(api_key) is not app.livemode:
        raise KeyUnfit(
            f"This app is in {mode(livemode=app.livemode)} mode, and this is a key of the other one."
        )
    stripe = connections().dial(api_key)
    found = account(stripe)
    if found.id != app.stripe_account_id:
        raise KeyUnfit(f"This is a key of Stripe account {found.id}, not of {app.stripe_account_id}.")
    missing = lacking(stripe.rights())
    if missing:
        raise KeyUnfit(
            f"This key lacks rights that Gangway needs: {listed(missing)}."
            " Give it these in Stripe's Dashboard, or use another key."
        )

    app = queries.to_change(session, app_id)
    app.api_key_sealed = connections().sealer.seal(api_key, api_key_row(app.id))
    app.masked_api_key = masked(api_key)
    audit.note(session, "app.key_replaced", actor=actor, app_id=app.id, masked_key=app.masked_api_key)
    note_key_state(session, app, accepted=True)
    session.flush()
    return app


def note_key_state(session: Session, app: App, *, accepted: bool) -> None:
    """Record that Stripe accepted the app's key, or rejected it. Flushes nothing by itself."""
    status = "ready" if accepted else "unauthorized"
    if app.status != status:
        app.status = status
        audit.note(session, f"app.{status}", actor="worker", app_id=app.id)


@contextmanager
def noting_rejection(session: Session, app: App) -> Iterator[None]:
    """Record it if Stripe turns out to reject the app's own key; what else was under way is rolled back."""
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
