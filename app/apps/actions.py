"""Installing a Stripe app: its key, its webhook endpoint, its secrets."""

import re

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import db, journal
from app.apps.connections import api_key_row, connections, secret_row
from app.apps.models import App, SigningSecret
from app.config import is_public
from app.errors import Conflict, Invalid
from app.gateway import (
    Account,
    StripeGateway,
    StripeKeyRejected,
    StripeObjectMissing,
    StripePermissionMissing,
    is_live,
)

MANAGED_BY = "gangway"
NAMESPACE = "default"  # OpenMeter's word; there is one here
KEY = re.compile(r"(sk|rk)_(test|live)_[A-Za-z0-9_]{4,}")


def install(session: Session, api_key: str, *, public_url: str, actor: str, name: str = "Stripe") -> App:
    """Install a Stripe account and mode: check the key, register our webhook, store both secrets sealed.

    Flushes; the caller commits and then calls `sweep`. Killed anywhere, it can be run again: an endpoint
    that was created and not recorded has a secret that nobody knows, and `sweep` removes it.

    Raises Invalid for what is no secret key, StripeKeyRejected, StripePermissionMissing, and Conflict when
    this account and mode is installed already.
    """
    api_key = api_key.strip()
    if not KEY.fullmatch(api_key):
        raise Invalid(
            "This is no secret Stripe key: it begins with sk_test_, sk_live_, rk_test_ or rk_live_."
        )
    if is_live(api_key) and not is_public(public_url):
        raise Invalid(
            "A live key needs a public URL that Stripe can reach over https: set GANGWAY_PUBLIC_URL first."
        )
    stripe = connections().dial(api_key)
    account = _account(stripe)
    _refuse_installed(session, stripe, account, public_url)
    has_default = session.scalar(select(App.id).where(App.is_default, App.deleted_at.is_(None))) is not None
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
    app = App(
        id=app_id,
        name=name,
        description=f"Stripe account {account.id}",
        stripe_account_id=account.id,
        livemode=account.livemode,
        api_key_sealed=sealer.seal(api_key, api_key_row(app_id)),
        masked_api_key=f"{api_key[:8]}***{api_key[-3:]}",
        webhook_endpoint_id=endpoint.id,
        is_default=not has_default,
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
    mode = "live" if account.livemode else "test"
    return Conflict(f"Stripe account {account.id} is installed already in {mode} mode.")


def _delete(stripe: StripeGateway, endpoint_id: str) -> None:
    try:
        stripe.delete_webhook_endpoint(endpoint_id)
    except StripeObjectMissing:
        return  # somebody was quicker
