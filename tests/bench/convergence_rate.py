"""Converge some people with a running worker, and print how many it did in a second. Runs in any tree.

`python tests/bench/convergence_rate.py DATABASE_URL STRIPE_URL THREADS LATENCY PEOPLE`, with a simulator at
that address and an empty database.
"""

import json
import logging
import sys
import threading
import time
import urllib.request

import sqlalchemy as sa
from cryptography.fernet import Fernet
from flask.testing import FlaskClient

from app import apps, create_app, migrations
from app.core import db
from app.core.config import Settings
from app.payers import Payer
from app.simulator import DEFAULT_API_KEY
from app.sync import Worker
from app.webhooks import Event

PORTAL = "http://127.0.0.1:8000"


def control(stripe: str, **action: object) -> None:
    """Tell the simulator to do something."""
    headers = {"Content-Type": "application/json"}
    body = json.dumps(action).encode()
    urllib.request.urlopen(urllib.request.Request(f"{stripe}/_control", body, headers)).close()  # noqa: S310


def sign_up(client: FlaskClient, number: int) -> None:
    """Sign somebody up, up to Stripe's page."""
    page = client.get("/signup").get_data(as_text=True)
    fields = {"name": f"Nr {number}", "email": f"nr{number}@example.com", "currency": "EUR"}
    for name in ("csrf_token", "nonce"):
        start = page.index(f'name="{name}"')
        value = page.index('value="', start) + len('value="')
        fields[name] = page[value : page.index('"', value)]
    answer = client.post("/signup", data=fields)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    client.delete_cookie("gangway")


def main(database: str, stripe: str, threads: int, latency: float, people: int) -> None:
    """Measure."""
    key = Fernet.generate_key().decode()
    given = {
        "database_url": database,
        "stripe_api_base": stripe,
        "public_url": PORTAL,
        "secret_key": key,
        "encryption_keys": key,
        "rate_limit_signup": "1000000 per hour",
        "signup_min_seconds": "0",
        "stripe_rate": "1000",
    }
    app = create_app(Settings.of(given))
    logging.disable(logging.CRITICAL)
    with app.app_context():
        migrations.upgrade()
    with app.app_context():
        apps.install(db.session(), DEFAULT_API_KEY, public_url=PORTAL, actor="bench")
        db.session().commit()
    client = app.test_client()
    for number in range(people):
        sign_up(client, number)
    control(stripe, action="fault_settings", latency=latency)
    with app.app_context():
        db.start_write(db.session())
        db.session().execute(
            sa.update(Payer).values(due_at=sa.func.now(), generation=Payer.generation + 1, is_priority=True)
        )
        db.session().commit()

    def is_done() -> bool:
        with app.app_context():
            left = sa.select(sa.func.count()).where(Payer.due_at <= db.utcnow())
            return not db.session().scalar(left)

    worker, pause = Worker(app, threads), threading.Event()
    used, began = time.process_time(), time.perf_counter()
    worker.start()
    while not is_done():
        pause.wait(0.02)
    took, used = time.perf_counter() - began, time.process_time() - used
    worker.stop()
    with app.app_context():
        checked = sa.select(sa.func.count()).where(Payer.verified_at.is_not(None))
        verified = db.session().scalar(checked)
        events = db.session().scalar(sa.select(sa.func.count()).select_from(Event))
    print(  # noqa: T201
        json.dumps(
            {
                "rate": people / took,
                "cpu_ms": 1000 * used / people,
                "verified": verified,
                "events": events,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
