"""The least that a webhook can be: verify, insert by the raw driver, commit, answer. And a bare Jinja page.

`python bare_view.py` makes its table; gunicorn serves `application`. What it needs to know stands in the
environment.
"""

import json
import os
import sqlite3
import sys
import threading
from typing import Any

import psycopg
import stripe
from flask import Flask, request

DATABASE, SECRET = os.environ["BENCH_DATABASE"], os.environ["BENCH_SECRET"]
TABLE = "CREATE TABLE IF NOT EXISTS bare_event (id TEXT PRIMARY KEY, type TEXT, payload TEXT)"
IS_POSTGRES = DATABASE.startswith("postgresql")
MARKS = "%s, %s, %s" if IS_POSTGRES else "?, ?, ?"
INSERT = f"INSERT INTO bare_event VALUES ({MARKS}) ON CONFLICT DO NOTHING"  # noqa: S608

application = Flask(__name__)
_own = threading.local()


def connection() -> Any:
    """This thread's connection."""
    if not hasattr(_own, "connection"):
        _own.connection = _connected()
    return _own.connection


def _connected() -> Any:
    if IS_POSTGRES:
        return psycopg.connect(DATABASE.replace("+psycopg", ""), autocommit=True)
    made = sqlite3.connect(DATABASE.removeprefix("sqlite:///"), isolation_level=None, timeout=15)
    made.execute("PRAGMA journal_mode=WAL")
    made.execute("PRAGMA synchronous=FULL")
    return made


@application.post("/hook")
def hook() -> tuple[str, int]:
    """Take an event in."""
    payload = request.get_data()
    event = stripe.Webhook.construct_event(payload, request.headers["Stripe-Signature"], SECRET)
    connection().execute(INSERT, (event.id, event.type, payload.decode()))
    return "", 200


PAGE = application.jinja_env.from_string(
    """<!doctype html><title>{{ title }}</title><h1>{{ title }}</h1>
    {% for name in names %}<p class="row">{{ loop.index }}: <a href="/{{ name }}">{{ name }}</a></p>
    {% endfor %}"""
)
NAMES = [f"A name of some length, number {number}" for number in range(80)]


@application.get("/page")
def page() -> str:
    """Draw a page of 10 kB."""
    return PAGE.render(title="A bare page", names=NAMES)


if __name__ == "__main__":
    connection().execute(TABLE)
    json.dump({"path": "/hook"}, sys.stdout)
