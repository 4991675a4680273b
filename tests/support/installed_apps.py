"""The type of the fixture `install`, and what it leaves behind."""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from app import apps
from app.core import db
from app.simulator import Simulator

Install = Callable[..., Result]


@dataclass(frozen=True)
class Installed:
    """An app as the database and Stripe have it."""

    id: str
    status: str
    livemode: bool
    is_default: bool
    account: str
    endpoint: str
    masked_key: str
    secrets: list[str]


def installed(app: Flask) -> list[Installed]:
    """Every app that is installed, the oldest first."""
    with app.app_context():
        session = db.session()
        found = session.scalars(sa.select(apps.App).order_by(apps.App.id)).all()
        return [
            Installed(
                id=row.id,
                status=row.status,
                livemode=row.livemode,
                is_default=row.is_default,
                account=row.stripe_account_id,
                endpoint=row.webhook_endpoint_id,
                masked_key=row.masked_api_key,
                secrets=apps.signing_secrets(session, row),
            )
            for row in found
        ]


def endpoints(simulator: Simulator, account: str) -> list[str]:
    """The webhook endpoints that an account has."""
    return [endpoint["id"] for endpoint in simulator.store.webhook_endpoints.newest(account)]
