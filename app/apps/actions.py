"""Installing a Stripe app: its key, its webhook endpoint, its secrets. Changing and uninstalling it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import db, journal
from app.apps import queries
from app.apps.connections import api_key_row, connect, connections, secret_row
from app.apps.models import App, SigningSecret
from app.config import is_public
from app.db import utcnow
from app.errors import Conflict, Invalid
from app.gateway import (
    Account,
    StripeGateway,
    StripeKeyRejected,
    StripeObjectMissing,
    StripePermissionMissing,
    is_live,
)
from app.sealing import Unsealable

MANAGED_BY = "gangway"
NAMESPACE = "default"  # OpenMeter's word; there is one here
NAMESPACE_ID = "01J00000000000000000000000"  # where its API wants a ULID for it
KEY = re.compile(r"(sk|rk)_(test|live)_[A-Za-z0-9_]{4,255}")


class KeyUnfit(Invalid):
    """The API key is not one with which this can be done; Stripe may know it."""


@dataclass(frozen=True, kw_only=True)
class Details:
    """What may be changed of an app: all of it but the key, which stays when none is given."""

    name: str
    description: str | None = None
    metadata: dict[str, str] | None = None
    api_key: str | None = None


def install(
    session: Session,
    api_key: str,
    *,
    public_url: str,
    actor: str,
    name: str = "Stripe",
    takes_default: bool | None = None,
) -> App:
    """Install a Stripe account and mode: check the key, register our webhook, store both secrets sealed.

    It takes the place of the default app, or not, as is said; unsaid, it becomes the default when there is
    none, because a change sends everybody who pays from then on to another account.
    Flushes; the caller commits and then calls `sweep`. Killed anywhere, it can be run again: an endpoint
    that was created and not recorded has a secret that nobody knows, and `sweep` removes it.

    Raises KeyUnfit for what is no secret key, StripeKeyRejected, StripePermissionMissing, and Conflict when
    this account and mode is installed already.
    """
    api_key = _secret_key(api_key)
    if is_live(api_key) and not is_public(public_url):
        raise KeyUnfit(
            "A live key needs a public URL that Stripe can reach over https: set GANGWAY_PUBLIC_URL first."
        )
    stripe = connections().dial(api_key)
    account = _account(stripe)
    _refuse_installed(session, stripe, account, public_url)
    db.end_read(session)

    app_id, secret_id = db.new_id(), db.new_id()
    endpoint = stripe.create_webhook_endpoint(
        webhook_url(public_url, app_id),
        metadata={"managed_by": MANAGED_BY, "om_namespace": NAMESPACE, "om_app_id": app_id},
        idempotency_key=f"gangway-endpoint-{app_id}",
    )
    if endpoint.secret is None:  # a replayed answer has it too, so this is not Stripe
        raise Invalid("Stripe answered without a signing secret.")

    sealer = connections().sealer
    db.start_write(session)
    default = session.scalar(select(App).where(App.is_default, App.deleted_at.is_(None)))
    takes_default = default is None if takes_default is None else takes_default
    if takes_default and default is not None:
        default.is_default = False
        session.flush()
    app = App(
        id=app_id,
        name=name,
        description=f"Stripe account {account.id}",
        stripe_account_id=account.id,
        livemode=account.livemode,
        api_key_sealed=sealer.seal(api_key, api_key_row(app_id)),
        masked_api_key=_masked(api_key),
        webhook_endpoint_id=endpoint.id,
        is_default=takes_default,
    )
    sealed = sealer.seal(endpoint.secret, secret_row(secret_id))
    session.add(app)
    try:
        session.flush()
    except IntegrityError as error:  # a second installation was quicker
        session.rollback()
        _delete(stripe, endpoint.id)
        raise _installed(account) from error
    session.add(SigningSecret(id=secret_id, app_id=app_id, sealed=sealed))
    journal.note(session, "app.installed", actor=actor, app_id=app_id, stripe_account_id=account.id)
    session.flush()
    return app


def change(session: Session, app_id: str, details: Details, *, actor: str) -> App:
    """Give an app new details, all of them, and a new key if there is one: everything or nothing.

    Flushes; the caller commits. The webhook endpoint and its secret stay. Raises NotFound, Invalid for an
    uninstalled app and what `replace_key` raises.
    """
    if details.api_key is None:
        app = _to_change(session, app_id)
    else:
        app = replace_key(session, app_id, details.api_key, actor=actor)
    app.name, app.description, app.extra = details.name, details.description, details.metadata
    journal.note(session, "app.changed", actor=actor, app_id=app.id)
    session.flush()
    return app


def replace_key(session: Session, app_id: str, api_key: str, *, actor: str) -> App:
    """Let an app speak with another key of its account and mode from now on. Flushes; the caller commits.

    A key that does not fit changes nothing: the app goes on with the one it has. Raises NotFound, Invalid
    for an uninstalled app, KeyUnfit for a key of another account or mode, StripeKeyRejected and
    StripePermissionMissing.
    """
    app = queries.by_id(session, app_id)
    _refuse_uninstalled(app)
    db.end_read(session)
    api_key = _secret_key(api_key)
    if is_live(api_key) is not app.livemode:
        raise KeyUnfit(
            f"This app is in {_mode(livemode=app.livemode)} mode, and this is a key of the other one."
        )
    account = _account(connections().dial(api_key))
    if account.id != app.stripe_account_id:
        raise KeyUnfit(f"This is a key of Stripe account {account.id}, not of {app.stripe_account_id}.")

    app = _to_change(session, app_id)
    app.api_key_sealed = connections().sealer.seal(api_key, api_key_row(app.id))
    app.masked_api_key = _masked(api_key)
    journal.note(session, "app.key_replaced", actor=actor, app_id=app.id, masked_key=app.masked_api_key)
    note_key_state(session, app, accepted=True)
    session.flush()
    return app


def uninstall(session: Session, app_id: str, *, actor: str) -> App:
    """Remove our webhook endpoint at Stripe, mark the app as deleted and forget its secrets.

    Flushes; the caller commits. What stands above and belongs to the app is the caller's as well: see
    `payers.uninstall`. An endpoint that is gone already, and a key that Stripe no longer takes or that can't
    be unsealed, are no hindrance. Raises NotFound, Invalid for an app that is uninstalled already, and what
    the gateway raises.
    """
    app = queries.by_id(session, app_id)
    _refuse_uninstalled(app)
    db.end_read(session)
    with suppress(StripeKeyRejected, Unsealable):  # then `sweep` finds it if the account is installed again
        _delete(connect(app), app.webhook_endpoint_id)

    app = _to_change(session, app_id)
    app.deleted_at, app.is_default, app.api_key_sealed = utcnow(), False, ""
    session.execute(delete(SigningSecret).where(SigningSecret.app_id == app.id))
    connections().forget(app)
    journal.note(
        session, "app.uninstalled", actor=actor, app_id=app.id, stripe_account_id=app.stripe_account_id
    )
    session.flush()
    return app


def sweep(session: Session, stripe: StripeGateway, public_url: str) -> int:
    """Delete our endpoints that no app of ours knows, as a killed installation leaves them.

    Ours are those with our mark and our URL. Returns how many there were. Ends the transaction.
    """
    known = set(session.scalars(select(App.webhook_endpoint_id).where(App.deleted_at.is_(None))))
    db.end_read(session)
    strays = [
        endpoint.id
        for endpoint in stripe.webhook_endpoints()
        if endpoint.id not in known
        and endpoint.metadata.get("managed_by") == MANAGED_BY
        and endpoint.url.startswith(f"{public_url}/api/v1/apps/")
    ]
    for stray in strays:
        _delete(stripe, stray)
    return len(strays)


def webhook_url(public_url: str, app_id: str) -> str:
    """Where Stripe sends the events of an app; the path is OpenMeter's."""
    return f"{public_url}/api/v1/apps/{app_id}/stripe/webhook"


def note_key_state(session: Session, app: App, *, accepted: bool) -> None:
    """Record that Stripe accepted the app's key, or rejected it. Flushes nothing by itself."""
    status = "ready" if accepted else "unauthorized"
    if app.status != status:
        app.status = status
        journal.note(session, f"app.{status}", actor="worker", app_id=app.id)


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


def _secret_key(api_key: str) -> str:
    api_key = api_key.strip()
    if not KEY.fullmatch(api_key):
        raise KeyUnfit(
            "This is no secret Stripe key: it begins with sk_test_, sk_live_, rk_test_ or rk_live_."
        )
    return api_key


def _masked(api_key: str) -> str:
    return f"{api_key[:8]}***{api_key[-3:]}"


def _to_change(session: Session, app_id: str) -> App:
    """The app, locked, when it is still installed."""
    db.start_write(session)
    app = queries.by_id(session, app_id, lock=True)
    _refuse_uninstalled(app)
    return app


def _refuse_uninstalled(app: App) -> None:
    if app.deleted_at is not None:
        raise Invalid(f"App {app.id} is uninstalled.")


def _account(stripe: StripeGateway) -> Account:
    try:
        return stripe.account()
    except StripeKeyRejected as error:
        raise StripeKeyRejected(
            "Stripe does not know this API key. Copy it again from the Dashboard."
        ) from error
    except StripePermissionMissing as error:
        raise StripePermissionMissing(
            "Stripe knows this restricted key, but it may not read the account, and without that"
            f" Gangway can't tell which account it opens. {error.detail}"
        ) from error


def _refuse_installed(session: Session, stripe: StripeGateway, account: Account, public_url: str) -> None:
    installed = session.scalar(
        select(App.id).where(
            App.stripe_account_id == account.id,
            App.livemode == account.livemode,
            App.deleted_at.is_(None),
        )
    )
    if installed is not None:
        sweep(session, stripe, public_url)  # an earlier run may have been killed just before its own
        raise _installed(account)


def _installed(account: Account) -> Conflict:
    return Conflict(
        f"Stripe account {account.id} is installed already in {_mode(livemode=account.livemode)} mode."
    )


def _mode(*, livemode: bool) -> str:
    return "live" if livemode else "test"


def _delete(stripe: StripeGateway, endpoint_id: str) -> None:
    try:
        stripe.delete_webhook_endpoint(endpoint_id)
    except StripeObjectMissing:
        return  # somebody was quicker
