"""How long listing a million customers takes. Run with `pytest -m bench --database postgresql`."""

import time
from statistics import median

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.core import db
from tests.support.tokens import bearer

ROWS = 1_000_000
SIZE = 100

FILL = """
INSERT INTO customer (id, key, name, created_at, updated_at, search_text)
SELECT '01' || upper(lpad(to_hex(n), 24, '0')), 'key-' || n, 'Customer ' || md5(n::text), now(), now(),
  E'\\ncustomer ' || md5(n::text) || E'\\nkey-' || n
FROM generate_series(1, :rows) AS n
"""


@pytest.fixture
def crowded(app: Flask) -> Flask:
    """The application with a million customers."""
    with app.app_context():
        if db.engine().dialect.name != "postgresql":
            pytest.skip("wants --database postgresql")
        session = db.session()
        session.execute(sa.text(FILL), {"rows": ROWS})
        session.execute(sa.text("INSERT INTO customer_count VALUES (0, :rows)"), {"rows": ROWS})
        session.commit()
        with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE customer")
    return app


@pytest.mark.bench
@pytest.mark.timeout(600)
def test_list_of_customers(crowded: Flask, client: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
    headers = bearer(crowded, "read")
    found: dict[str, float] = {}
    for name, query in {
        "first page": "page=1",
        "page in the middle": f"page={ROWS // SIZE // 2}",
        "the page after that": f"page={ROWS // SIZE // 2 + 1}",
        "last page": f"page={ROWS // SIZE}",
        "by time, last page": f"page={ROWS // SIZE}&orderBy=createdAt",
        "newest first": "page=1&orderBy=createdAt&order=DESC",
        "part of a name": "name=abcdef",
        "part of a key": "key=key-777777",
    }.items():
        times = []
        for _ in range(5):
            began = time.perf_counter()
            answer = client.get(f"/api/v1/customers?pageSize={SIZE}&{query}", headers=headers)
            times.append(time.perf_counter() - began)
            assert answer.status_code == 200
            assert answer.get_json()["items"]
        found[name] = median(times)
    with capsys.disabled():
        for name, seconds in found.items():
            print(f"{name:24} {seconds * 1000:8.1f} ms")  # noqa: T201
