"""How long the console takes with a million customers. Run with `pytest -m bench --database postgresql -s`.

The server that the tests bring along has no pg_trgm: name one that has in GANGWAY_TEST_POSTGRES.
"""

import resource
import time
from datetime import timedelta
from math import ceil
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app import apps, migrations
from app.console.overview.funnel import SlowAnswers
from app.core import db
from app.core.db import utcnow
from app.customers.models import Customer
from app.customers.search import search_text
from app.payers import Payer
from tests.support.console import sign_in

ROWS = 1_000_000
TURNS = 15
FIRST = "0" * 26

# The people in the list: of 1000 people about 10 are deleted, 20 have no payer, 20 were declined, 80 gave up.
FILL = """
CREATE TEMPORARY TABLE person AS
SELECT n, '01' || upper(lpad(to_hex(n), 24, '0')) AS id, md5(n::text) AS h, 'key-' || n AS key,
  (ARRAY['Ada','Grace','Linus','Margaret','Dennis','Barbara','Ken','Frances','Alan','Edsger','Donald','Radia',
    'Tim','Hedy','Jean','Guido','Yukihiro','Anita','Brian','Katherine'])
    [1 + (hashint4(n) & 65535) % 20] AS first,
  (ARRAY['Lovelace','Hopper','Torvalds','Hamilton','Ritchie','Liskov','Thompson','Allen','Turing','Dijkstra',
    'Knuth','Perlman','Lee','Lamarr','Bartik','Rossum','Matsumoto','Borg','Kernighan','Johnson','Keller','Wirth',
    'Hoare','Naur','Backus','Iverson','Milner','Scott','Rabin','Karp'])
    [1 + (hashint4(n + 7) & 65535) % 30] AS last,
  (ARRAY['Ltd','Inc','GmbH','SARL','AG','BV','Labs','Systems','Energy','Cloud'])
    [1 + (hashint4(n + 13) & 65535) % 10] AS kind,
  now() - (:rows - n) * interval '30 seconds' AS at,
  CASE WHEN n % 100 = 0 THEN now() END AS gone,
  CASE WHEN n > :rows * 0.999 THEN 'in_progress' ELSE coalesce((ARRAY['failed','failed','abandoned',
    'abandoned','abandoned','abandoned','abandoned','abandoned','abandoned','abandoned','expired','expiring','processing',
    'needs_action','removed','customer_gone'])[1 + (hashint4(n + 99) & 65535) % 100], 'saved') END AS status
FROM generate_series(1, :rows) AS n;

ALTER TABLE person ADD name text, ADD email text, ADD subjects text[];
UPDATE person SET name = first || ' ' || last || ' ' || initcap(substr(h, 1, 5)) || ' ' || kind,
  email = lower(first || '.' || last) || n || '@' || substr(h, 6, 4) || '.example',
  subjects = CASE WHEN n % 3 = 0 THEN ARRAY['meter-' || n, 'site-' || substr(h, 10, 6) || n]
    ELSE ARRAY['meter-' || n] END;

INSERT INTO customer (id, key, name, primary_email, created_at, updated_at, deleted_at, search_text)
SELECT id, key, name, email, at, at, gone,
  E'\\n' || lower(name) || E'\\n' || email || E'\\n' || key || E'\\n' || array_to_string(subjects, E'\\n')
FROM person;
INSERT INTO subject_key (customer_id, key, deleted_at) SELECT id, unnest(subjects), gone FROM person;
INSERT INTO customer_count SELECT 0, count(*) FROM customer WHERE deleted_at IS NULL;
INSERT INTO payer (id, app_id, customer_id, stripe_customer_id, default_method_id, created_at, deleted_at,
  signed_up_on, verified_at, status, generation, attempts)
SELECT '02' || substr(id, 3), :app, id, 'cus_' || substr(h, 1, 14),
  CASE WHEN status IN ('saved', 'expiring', 'expired') THEN 'pm_' || substr(h, 1, 24) END,
  at, gone, timezone('UTC', at)::date, at, status, 0, 0 FROM person WHERE n % 50 <> 7;
INSERT INTO payment_method (app_id, id, payer_id, type, brand, last4, exp_month, exp_year, created_at)
SELECT app_id, default_method_id, id, 'card', 'visa', '4242', 12, 2030, created_at FROM payer
WHERE default_method_id IS NOT NULL;
INSERT INTO checkout_session (id, stripe_session_id, options, payer_id, setup_intent_id, status, setup_status,
  error_code, expires_at, created_at, settled_at)
SELECT '05' || substr(id, 3), 'cs_test_' || md5(id), '{}', id, 'seti_' || substr(md5(id), 1, 24),
  CASE status WHEN 'in_progress' THEN 'open' WHEN 'failed' THEN 'open' WHEN 'needs_action' THEN 'open'
    WHEN 'abandoned' THEN 'expired' ELSE 'complete' END,
  CASE status WHEN 'processing' THEN 'processing' WHEN 'needs_action' THEN 'requires_action'
    WHEN 'in_progress' THEN 'requires_payment_method' WHEN 'failed' THEN 'requires_payment_method'
    WHEN 'abandoned' THEN 'requires_payment_method' ELSE 'succeeded' END,
  CASE status WHEN 'failed' THEN 'card_declined' END, created_at + interval '1 day', created_at, created_at
FROM payer;
INSERT INTO event (app_id, id, type, payload, state, payer_id, received_at, due_at, attempts, finished_at)
SELECT app_id, 'evt_' || substr(md5(id), 1, 24), 'checkout.session.completed', '{}', 'done', id, created_at,
  created_at, 1, created_at FROM payer;
INSERT INTO audit_entry (id, at, kind, actor, customer_id, facts)
SELECT '03' || substr(id, 3), at, 'customer.created', 'visitor', id, '{}'::json FROM person UNION ALL
SELECT '04' || substr(id, 3), at, 'checkout.started', 'visitor', id, '{}'::json FROM person;
DROP TABLE person;
"""


# Rows are written faster without indexes and foreign keys, and indexes are made faster afterwards.
INDEXES = """
SELECT pg_get_indexdef(indexrelid), indexrelid::regclass FROM pg_index
WHERE indrelid = ANY (ARRAY['customer', 'subject_key', 'payer', 'payment_method', 'checkout_session', 'event',
  'audit_entry']::regclass[])
AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""


def fill(session: Session, rows: int) -> None:
    """Write so many customers, and all that belongs to them. Commits."""
    installed = apps.find(session).id
    indexes = session.execute(sa.text(INDEXES)).all()
    session.execute(sa.text("SET LOCAL session_replication_role = replica"))
    for _, name in indexes:
        session.execute(sa.text(f"DROP INDEX {name}"))
    for statement in FILL.split(";\n"):
        session.execute(sa.text(statement), {"rows": rows, "app": installed} if ":" in statement else {})
    for definition, _ in indexes:
        session.execute(sa.text(definition))
    session.commit()


@pytest.fixture
def crowded(app: Flask) -> Flask:
    """The application with a million customers, and all that belongs to them."""
    with app.app_context():
        if db.engine().dialect.name != "postgresql":
            pytest.skip("wants --database postgresql")
        session = db.session()
        fill(session, ROWS)
        assert migrations.upgrade() is None, "this server has no pg_trgm: see above"
        with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
        some = session.get_one(Customer, f"01{777_777:024X}")
        assert some.search_text == search_text(some.name, some.key, some.primary_email, some.subject_keys)
    return app


def addresses(payer: Payer) -> dict[str, list[str]]:
    """What is asked for, several of a kind, so that no page is measured only warm."""
    names = (
        "ada lovelace",
        "hopper",
        "grace",
        "labs",
        "8f3a1",
        "zzzzzz",
        "turing energy",
        ".example",
        "gmbh",
    )
    listed = "/operator/customers"
    return {
        "first page": [listed, f"{listed}?sort=name", f"{listed}?sort=-name", f"{listed}?sort=created"],
        "a later page": [f"{listed}?after={_instant(share)}~{FIRST}" for share in (0.9, 0.5, 0.1)]
        + [f"{listed}?sort=name&{way}={first}~{FIRST}" for first in "AGT" for way in ("after", "before")],
        "search": [f"{listed}?q={text}" for text in names],
        "search, by name": [f"{listed}?q={text}&sort=name" for text in names],
        "search of 1 or 2 letters": [f"{listed}?q={text}" for text in ("a", "ad", "tu", "zz", "ada l")],
        "search of a key": [
            f"{listed}?q={text}" for text in ("key-777777", "meter-4242", "site-d4126a", "key-9")
        ],
        "filter": [
            f"{listed}?status={status}&sort={sort}"
            for status in ("saved", "failed", "abandoned", "expired", "removed", "in_progress")
            for sort in ("-created", "name")
        ],
        "filter, later page": [
            f"{listed}?status={status}&{way}={_instant(share)}~{FIRST}"
            for status in ("saved", "failed", "none")
            for share in (0.9, 0.1)
            for way in ("after", "before")
        ],
        "filter: not begun": [f"{listed}?status=none", f"{listed}?status=none&sort=name"],
        "filter and search": [f"{listed}?status=failed&q={text}" for text in names],
        "deleted": [
            f"{listed}?show=deleted",
            f"{listed}?show=deleted&sort=name",
            f"{listed}?show=deleted&q=ada",
        ],
        "Stripe's id": [
            f"{listed}?q={id_}"
            for id_ in (payer.stripe_customer_id, payer.default_method_id, "cus_unknown", "evt_unknown")
        ],
        "customer page": [f"/operator/customers/01{number * 997:024X}" for number in range(1, 1000, 37)],
    }


def _instant(share: float) -> str:
    """When the customers were made behind which this share of all stands, as an address says it."""
    return quote((utcnow() - (1 - share) * ROWS * timedelta(seconds=30)).isoformat())


@pytest.mark.bench
@pytest.mark.timeout(3600)
def test_pages_with_a_million_customers(crowded: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    client = sign_in(crowded, "viewer")
    with crowded.app_context():
        payer = db.session().get_one(Payer, f"02{777_777:024X}")

    times: dict[str, list[float]] = {}
    slowest: dict[str, tuple[float, str]] = {}
    for kind, paths in addresses(payer).items():
        for _turn in range(TURNS):
            for path in paths:
                took = seconds(client, path)
                times.setdefault(kind, []).append(took)
                slowest[kind] = max(slowest.get(kind, (0.0, "")), (took, path))

    with capsys.disabled():
        for kind, found in times.items():
            print(  # noqa: T201
                f"{kind:26} p50 {part(found, 0.5) * 1000:7.1f} ms   p95 {part(found, 0.95) * 1000:7.1f} ms"
                f"   slowest {slowest[kind][0] * 1000:7.1f} ms {slowest[kind][1]}"
            )
        pooled = [took for found in times.values() for took in found]
        print(f"all of them: p95 {part(pooled, 0.95) * 1000:.1f} ms")  # noqa: T201


@pytest.mark.bench
@pytest.mark.timeout(3600)
def test_overview_of_a_million_customers(crowded: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    client, today = sign_in(crowded, "viewer"), utcnow().date()

    times: dict[int, list[float]] = {}
    for days in [30, 90, 365, 730] * TURNS:
        crowded.extensions["gangway.slow_answers"] = SlowAnswers()  # each view is a first one
        path = f"/operator/?span=custom&from={today - timedelta(days=days)}&to={today}"
        times.setdefault(days, []).append(seconds(client, path))

    with capsys.disabled():
        for days, found in times.items():
            print(  # noqa: T201
                f"overview of {days} days: p50 {part(found, 0.5) * 1000:.1f} ms,"
                f" p95 {part(found, 0.95) * 1000:.1f} ms"
            )


@pytest.mark.bench
@pytest.mark.timeout(3600)
def test_file_of_a_million_customers(crowded: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    client = sign_in(crowded, "operator")

    before, began, size, lines = peak(), time.perf_counter(), 0, 0
    answer = client.get("/operator/customers.csv", buffered=False)
    for piece in answer.iter_encoded():
        size, lines = size + len(piece), lines + piece.count(b"\n")
    grown = peak() - before
    answer.close()

    with capsys.disabled():
        took = time.perf_counter() - began
        print(  # noqa: T201
            f"{lines:,} lines, {size / 1e6:.0f} MB in {took:.0f} s ({lines / took:,.0f} a second),"
            f" memory grew by {grown / 1e6:.0f} MB"
        )
    assert lines == ROWS - ROWS // 100 + 1
    assert grown < 50e6


def seconds(client: FlaskClient, path: str) -> float:
    """How long a page takes."""
    began = time.perf_counter()
    answer = client.get(path)
    assert answer.status_code in {200, 303}, path
    return time.perf_counter() - began


def part(times: list[float], share: float) -> float:
    """A percentile."""
    return sorted(times)[ceil(len(times) * share) - 1]


def peak() -> float:
    """The most memory that this process has held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
