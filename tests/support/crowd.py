"""Many customers at once, put into the tables as they would stand there."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app import apps
from app.core import db
from app.core.db import new_id
from app.customers import Customer, NewCustomer, actions
from app.customers.models import CustomerCount
from app.customers.search import search_text
from app.payers import Payer, PaymentMethod

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def add(app: Flask, name: str, **details: Any) -> str:
    """One customer, made as everybody makes them; its id."""
    with app.app_context():
        session = db.session()
        wanted = NewCustomer(name=name, **({"key": name.lower()[:256]} | details))
        db.start_write(session)
        made = actions.create(session, wanted, actor="test")
        session.commit()
        return made.id


def crowd(app: Flask, number: int, name: str = "Member {:05}") -> list[str]:
    """So many customers, each a minute younger than the one before; their ids."""
    rows = [
        {
            "id": f"01{index:024}",
            "name": name.format(index),
            "created_at": BEGAN + timedelta(minutes=index),
            "search_text": search_text(name.format(index), None, None, []),
        }
        for index in range(number)
    ]
    with app.app_context():
        session = db.session()
        session.execute(sa.insert(Customer), rows)
        session.add(CustomerCount(shard=99, live=number))
        session.commit()
    return [str(row["id"]) for row in rows]


def bill(app: Flask, customer_ids: list[str], status: str | None, **details: Any) -> list[str]:
    """Let these customers have a Stripe customer (cus_…), in the default app unless told; its id."""
    with app.app_context():
        session = db.session()
        default = apps.default(session)
        assert default is not None
        rows = [
            {
                "id": new_id(),
                "app_id": default.id,
                "customer_id": customer_id,
                "stripe_customer_id": f"cus_{customer_id}",
                "status": status,
            }
            | details
            for customer_id in customer_ids
        ]
        session.execute(sa.insert(Payer), rows)
        session.commit()
        return [str(row["stripe_customer_id"]) for row in rows]


def save_card(app: Flask, customer_id: str, **details: Any) -> str:
    """Let a billed customer have a card that is charged; its id (pm_…)."""
    with app.app_context():
        session = db.session()
        payer = session.scalars(sa.select(Payer).where(Payer.customer_id == customer_id)).one()
        card = {"id": f"pm_{customer_id}", "type": "card", "brand": "visa", "last4": "4242"} | details
        session.add(PaymentMethod(app_id=payer.app_id, payer_id=payer.id, **card))
        payer.default_method_id = card["id"]
        session.commit()
        return str(card["id"])
