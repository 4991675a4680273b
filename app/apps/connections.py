"""Connect an installed app to a gateway with its key."""

import threading
from collections.abc import Callable

from flask import current_app
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.apps.models import App, SigningSecret
from app.core.errors import NotFound
from app.core.secrets.sealing import Sealer, Unsealable
from app.gateway import StripeGateway

GatewayFactory = Callable[[str], StripeGateway]


class Connections:
    """One gateway for each API key, which keeps its connections open. One instance for each process.

    `gateway_factory` makes a gateway from a key. Only `create_app` decides whether it reaches Stripe or a
    simulator.
    """

    def __init__(self, sealer: Sealer, gateway_factory: GatewayFactory) -> None:
        self.sealer = sealer
        self.gateway_factory = gateway_factory
        self._open: dict[tuple[str, str], StripeGateway] = {}
        self._lock = threading.Lock()

    def to(self, app: App) -> StripeGateway:
        """Return the gateway of an app, a new one after its key was replaced."""
        with self._lock:
            held = self._open.get((app.id, app.api_key_sealed))
            if held is None:
                key = self.sealer.open(app.api_key_sealed, api_key_row(app.id))
                self._drop(app)
                held = self._open[app.id, app.api_key_sealed] = self.gateway_factory(key)
            return held

    def forget(self, app: App) -> None:
        """Drop the gateways of this app, and its key with them."""
        with self._lock:
            self._drop(app)

    def _drop(self, app: App) -> None:
        for known in [known for known in self._open if known[0] == app.id]:
            del self._open[known]


def connections() -> Connections:
    """Return the connections of the current application."""
    found = current_app.extensions["gangway.connections"]
    assert isinstance(found, Connections)
    return found


def find(session: Session, app_id: str | None = None) -> App:
    """Return the app with this id, or the default one. Raises NotFound."""
    query = select(App).where(App.deleted_at.is_(None))
    query = query.where(App.is_default) if app_id is None else query.where(App.id == app_id)
    app = session.scalar(query)
    if app is None and app_id is None:
        is_any = session.scalar(select(App.id).where(App.deleted_at.is_(None)).limit(1)) is not None
        raise NotFound("No installed Stripe app is the default." if is_any else "No Stripe app is installed.")
    if app is None:
        raise NotFound("There is no such app.")
    return app


def find_successor(session: Session, app_id: str) -> App:
    """Return the installed app with this id, or the one that took over its account and mode.

    Raises NotFound when both are uninstalled.
    """
    own = session.scalar(select(App).where(App.id == app_id))
    if own is not None:
        place = (App.stripe_account_id == own.stripe_account_id, App.livemode == own.livemode)
        query = select(App).where(App.deleted_at.is_(None), or_(App.id == app_id, and_(*place)))
        found = session.scalar(query.order_by((App.id == app_id).desc()).limit(1))
        if found is not None:
            return found
    raise NotFound("The Stripe app of this page is uninstalled.")


def connect(app: App) -> StripeGateway:
    """Return the gateway with this app's key."""
    return connections().to(app)


def unreadable_secrets(session: Session, app: App) -> tuple[bool, bool]:
    """Is the app's API key unreadable, and is one of its signing secrets?"""
    sealer = connections().sealer
    secrets = session.scalars(
        select(SigningSecret).where(SigningSecret.app_id == app.id, SigningSecret.retired_at.is_(None))
    )
    return (
        not _opens(sealer, app.api_key_sealed, api_key_row(app.id)),
        not all(_opens(sealer, row.sealed, secret_row(row.id)) for row in secrets),
    )


def _opens(sealer: Sealer, sealed: str, row: str) -> bool:
    try:
        sealer.open(sealed, row)
    except Unsealable:
        return False
    return True


def api_key_row(app_id: str) -> str:
    """Return the name under which an app's key is sealed."""
    return f"app:{app_id}:api_key"


def secret_row(secret_id: str) -> str:
    """Return the name under which a signing secret is sealed."""
    return f"signing_secret:{secret_id}"
