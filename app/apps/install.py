"""Installing a Stripe account and mode as an app, and uninstalling it."""

from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit
from app.apps import endpoints, keys, queries
from app.apps.connections import api_key_row, connect, connections, secret_row
from app.apps.models import App, SigningSecret
from app.core import db
from app.core.config import is_public, settings
from app.core.db import utcnow
from app.core.errors import Conflict
from app.core.sealing import Unsealable
from app.gateway import Account, Right, StripeGateway, StripeKeyRejected, StripePermissionMissing, is_live

NOT_PUBLIC = "A live key needs a public URL that Stripe can reach over https: set GANGWAY_PUBLIC_URL first."


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What an API key opens, found out before anything is written anywhere."""

    account: str | None  # acct_…; None when the key may not read it
    name: str | None
    livemode: bool
    masked_key: str
    rights: list[Right]
    endpoints: int | None  # webhook endpoints that are there already; None when the key may not see them

    def facts(self) -> dict[str, Any]:
        """As JSON takes it. There is no secret in it."""
        return asdict(self)

    @classmethod
    def of(cls, facts: dict[str, Any]) -> "Inspection":
        """Read what `facts` gave."""
        return cls(**(facts | {"rights": [Right(**right) for right in facts["rights"]]}))


def inspect(api_key: str) -> Inspection:
    """Find out what a key opens and what it may do. Nothing is written, here or at Stripe.

    Raises KeyUnfit for what is no secret key, StripeKeyRejected and StripeUnavailable.
    """
    api_key = keys.secret_key(api_key)
    stripe = connections().dial(api_key)
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
        rights=stripe.rights(),
        endpoints=there,
    )


def obstacles(session: Session, found: Inspection, public_url: str) -> list[str]:
    """Why what was inspected can't be installed, in sentences. None of them: it can."""
    reasons = []
    if found.account is None:
        reasons.append(
            "The key may not read the account, and without that Gangway can't tell which account it opens."
        )
    elif _is_installed(session, found.account, livemode=found.livemode):
        reasons.append(_installed(found.account, livemode=found.livemode).detail)
    if found.livemode and not is_public(public_url):
        reasons.append(NOT_PUBLIC)
    if any(right.area == "Webhook Endpoints" for right in keys.lacking(found.rights)):
        reasons.append("The key may not make webhook endpoints, and installing makes one.")
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
    """Install a Stripe account and mode: check the key, register our webhook, store both secrets sealed.

    Where Stripe can't reach us, there is no webhook: see `Settings.is_pulling`.

    It takes the place of the default app, or not, as is said; unsaid, it becomes the default when there is
    none, because a change sends everybody who pays from then on to another account.
    Flushes; the caller commits and then calls `sweep`. Killed anywhere, it can be run again: an endpoint
    that was created and not recorded has a secret that nobody knows, and `sweep` removes it.

    Raises KeyUnfit for what is no secret key, StripeKeyRejected, StripePermissionMissing, and Conflict when
    this account and mode is installed already.
    """
    api_key = keys.secret_key(api_key)
    if is_live(api_key) and not is_public(public_url):
        raise keys.KeyUnfit(NOT_PUBLIC)
    stripe = connections().dial(api_key)
    account = keys.account(stripe)
    _refuse_installed(session, stripe, account, public_url)
    db.end_read(session)

    app_id, secret_id = db.new_id(), db.new_id()
    endpoint = None  # Stripe refuses an endpoint that it can't reach
    if not settings().is_pulling:
        endpoint = endpoints.make(stripe, app_id, public_url, wanted=app_id)

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
    except IntegrityError as error:  # a second installation was quicker
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
    """Remove our webhook endpoints at Stripe, mark the app as deleted and forget its secrets.

    Flushes; the caller commits. What stands above and belongs to the app is the caller's as well: see
    `payers.uninstall`. An endpoint that is gone already, and a key that Stripe no longer takes or that can't
    be unsealed, are no hindrance. Raises NotFound, Invalid for an app that is uninstalled already, and what
    the gateway raises.
    """
    app = queries.by_id(session, app_id)
    queries.refuse_uninstalled(app)
    used = {app.webhook_endpoint_id, *(secret.endpoint_id for secret in queries.secrets_of(session, app_id))}
    ours = sorted(endpoint_id for endpoint_id in used if endpoint_id)
    db.end_read(session)
    with suppress(StripeKeyRejected, Unsealable):  # then `sweep` finds it if the account is installed again
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
        # An earlier run may have been killed just before its own.
        endpoints.sweep(session, stripe, public_url)
        raise _installed(account.id, livemode=account.livemode)


def _is_installed(session: Session, account: str, *, livemode: bool) -> bool:
    found = select(App.id).where(
        App.stripe_account_id == account, App.livemode == livemode, App.deleted_at.is_(None)
    )
    return session.scalar(found) is not None


def _installed(account: str, *, livemode: bool) -> Conflict:
    return Conflict(f"Stripe account {account} is installed already in {keys.mode(livemode=livemode)} mode.")
