"""Install a Stripe account and mode as an app, and uninstall it."""

from contextlib import suppress
from dataclasses import asdict
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit
from app.apps import keys, queries
from app.apps.connections import api_key_row, connect, connections, secret_row
from app.apps.models import App, SigningSecret
from app.apps.webhook import endpoints
from app.core import db
from app.core.config import is_public, settings
from app.core.db import utcnow
from app.core.errors import Conflict
from app.core.secrets.sealing import Unsealable
from app.core.values import frozen
from app.gateway import (
    Account,
    Permission,
    StripeGateway,
    StripeKeyRejected,
    StripePermissionMissing,
    is_live,
)
from app.web.input.visible import checked_name

NOT_PUBLIC = "A live key needs a public URL that Stripe can reach over https: set GANGWAY_PUBLIC_URL first."


@frozen(kw_only=True)
class Inspection:
    """What an API key opens, before anything is written."""

    account: str | None  # acct_…; None when the key may not read it
    name: str | None
    livemode: bool
    masked_key: str
    permissions: list[Permission]
    endpoints: int | None  # existing webhook endpoints; None when the key may not list them

    def facts(self) -> dict[str, Any]:
        """Return it as JSON, without secrets."""
        return asdict(self)

    @classmethod
    def of(cls, facts: dict[str, Any]) -> "Inspection":
        """Read the JSON of `facts`."""
        known = dict(facts)  # one that has waited since 0.2.0 calls permissions rights
        permissions = known.pop("rights", None) or known.pop("permissions")
        return cls(**known, permissions=[Permission(**permission) for permission in permissions])


def inspect(api_key: str) -> Inspection:
    """Find out what a key opens and may do. Write nothing, here or at Stripe.

    Raises UnusableKey when it is not a secret key, StripeKeyRejected and StripeUnavailable.
    """
    api_key = keys.secret_key(api_key)
    stripe = connections().gateway_factory(api_key)
    account: Account | None = None
    there: int | None = None
    with suppress(StripePermissionMissing):
        account = keys.account(stripe)
    with suppress(StripePermissionMissing):
        there = len(stripe.webhook_endpoints())
    return Inspection(
        account=account.id if account else None,
        name=account.name if account else None,
        livemode=stripe.livemode,
        masked_key=keys.masked(api_key),
        permissions=stripe.permissions(),
        endpoints=there,
    )


def obstacles(session: Session, found: Inspection, public_url: str) -> list[str]:
    """Say in sentences why we can't install this account. An empty list means that we can."""
    reasons = []
    if found.account is None:
        reasons.append(
            "The key has no permission to read the account, so Gangway can't tell which account it opens."
        )
    elif _is_installed(session, found.account, livemode=found.livemode):
        reasons.append(_installed(found.account, livemode=found.livemode).detail)
    if found.livemode and not is_public(public_url):
        reasons.append(NOT_PUBLIC)
    if any(
        permission.area == "Webhook Endpoints" for permission in keys.missing_permissions(found.permissions)
    ):
        reasons.append("The key has no permission to create webhook endpoints, and installing creates one.")
    return reasons


def install(
    session: Session,
    api_key: str,
    *,
    public_url: str,
    actor: str,
    name: str = "Stripe",
    takes_default: bool | None = None,
) -> App:
    """Install a Stripe account and mode: check the key, register our webhook, store the secrets sealed.

    Create no webhook where Stripe can't reach us: see `Settings.is_pulling`. Without `takes_default`, the app
    becomes the default only if there is none, because another default sends new customers to another account.

    The caller commits, then calls `delete_orphans`: an installation that died leaves an endpoint with a
    secret that nobody knows. It can run again at any time.

    Raises Invalid, UnusableKey, StripeKeyRejected, StripePermissionMissing, and Conflict when this account
    and mode is installed.
    """
    name = checked_name(name, "An app")
    api_key = keys.secret_key(api_key)
    if is_live(api_key) and not is_public(public_url):
        raise keys.UnusableKey(NOT_PUBLIC)
    stripe = connections().gateway_factory(api_key)
    account = keys.account(stripe)
    _refuse_installed(session, stripe, account, public_url)
    db.end_read(session)

    app_id, secret_id = db.new_id(), db.new_id()
    endpoint = None  # Stripe refuses an endpoint that it can't reach
    if not settings().is_pulling:
        endpoint = endpoints.make(stripe, app_id, public_url, key=app_id)

    sealer = connections().sealer
    db.start_write(session)
    default = queries.default(session)
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
        masked_api_key=keys.masked(api_key),
        webhook_endpoint_id=endpoint.id if endpoint else "",
        webhook_changed_at=utcnow(),
        is_default=takes_default,
    )
    session.add(app)
    try:
        session.flush()
    except IntegrityError as error:  # another installation was faster
        session.rollback()
        if endpoint:
            endpoints.delete(stripe, endpoint.id)
        raise _installed(account.id, livemode=account.livemode) from error
    if endpoint and endpoint.secret:
        sealed = sealer.seal(endpoint.secret, secret_row(secret_id))
        session.add(SigningSecret(id=secret_id, app_id=app_id, endpoint_id=endpoint.id, sealed=sealed))
    audit.note(session, "app.installed", actor=actor, app_id=app_id, stripe_account_id=account.id)
    session.flush()
    return app


def uninstall(session: Session, app_id: str, *, actor: str) -> App:
    """Delete our webhook endpoints at Stripe, mark the app as deleted and delete its secrets. Flushes.

    `payers.uninstall` calls this and ends the app's payers. Accept a missing endpoint, a rejected key and a
    key that no encryption key opens. Raises NotFound, Invalid for an uninstalled app, and what the gateway
    raises.
    """
    app = queries.by_id(session, app_id)
    queries.refuse_uninstalled(app)
    used = {app.webhook_endpoint_id, *(secret.endpoint_id for secret in queries.secrets_of(session, app_id))}
    ours = sorted(endpoint_id for endpoint_id in used if endpoint_id)
    db.end_read(session)
    with suppress(StripeKeyRejected, Unsealable):  # installing the account again deletes them
        for endpoint_id in ours:
            endpoints.delete(connect(app), endpoint_id)

    app = queries.to_change(session, app_id)
    app.deleted_at, app.is_default, app.api_key_sealed = utcnow(), False, ""
    session.execute(delete(SigningSecret).where(SigningSecret.app_id == app.id))
    connections().forget(app)
    audit.note(
        session, "app.uninstalled", actor=actor, app_id=app.id, stripe_account_id=app.stripe_account_id
    )
    session.flush()
    return app


def _refuse_installed(session: Session, stripe: StripeGateway, account: Account, public_url: str) -> None:
    if _is_installed(session, account.id, livemode=account.livemode):
        # An earlier installation may have died just before it deleted them.
        endpoints.delete_orphans(session, stripe, public_url)
        raise _installed(account.id, livemode=account.livemode)


def _is_installed(session: Session, account: str, *, livemode: bool) -> bool:
    found = select(App.id).where(
        App.stripe_account_id == account, App.livemode == livemode, App.deleted_at.is_(None)
    )
    return session.scalar(found) is not None


def _installed(account: str, *, livemode: bool) -> Conflict:
    return Conflict(f"Stripe account {account} is already installed in {keys.mode(livemode=livemode)} mode.")
