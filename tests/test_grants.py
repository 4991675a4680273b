"""A user of the database who may not write its tables is named before the first customer is refused."""

import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from app import create_app, migrations
from app.core import db
from app.migrations import grants
from tests.conftest import make_settings
from tests.support.commands import environment, run_command

Grant = Callable[[str], object]


@pytest.fixture
def role(app: Flask) -> Iterator[tuple[Flask, Grant]]:
    """An application with a database user that may only read, and a way to change that."""
    with app.app_context():
        if db.engine().dialect.name != "postgresql":
            pytest.skip("SQLite has no users")
        name = f"reader_{uuid.uuid4().hex}"
        with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as owner:
            owner.exec_driver_sql(
                f"CREATE ROLE {name} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}"
            )
            own = create_app(make_settings(database_url=str(db.engine().url.set(username=name))))
            yield own, lambda what: owner.exec_driver_sql(what.format(name))
            with own.app_context():
                db.engine().dispose()
            owner.exec_driver_sql(f"DROP OWNED BY {name}; DROP ROLE {name}")


def reasons(app: Flask) -> list[str]:
    found: list[str] = app.test_client().get("/readyz").get_json().get("reasons", [])
    return found


def test_one_who_only_reads_is_not_fit(role: tuple[Flask, Grant]) -> None:
    app, _ = role

    [reason] = reasons(app)
    with app.app_context():
        checked = run_command("check", **environment(str(db.engine().url)))

    assert "INSERT api_token, app, audit_entry and " in reason
    assert "or UPDATE api_token, app, " in reason
    assert reason.endswith("grant it, or use the owner of the tables.")
    assert reason in checked.output
    assert checked.exit_code == 1


@pytest.mark.parametrize("privilege", ["SELECT", "INSERT", "UPDATE", "DELETE"])
def test_one_table_that_lacks_something_is_named(privilege: str, role: tuple[Flask, Grant]) -> None:
    app, grant = role
    grant("GRANT ALL ON ALL TABLES IN SCHEMA public TO {}")
    grant(f"REVOKE {privilege} ON operator_session FROM {{}}")

    [reason] = reasons(app)
    assert reason.startswith(f"The user of the database may not {privilege} operator_session: grant it")


def test_one_who_may_do_what_we_do_is_fit(role: tuple[Flask, Grant]) -> None:
    app, grant = role
    grant("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {}")
    grant("REVOKE UPDATE ON audit_entry FROM {}")
    grant(f"GRANT DELETE ON {', '.join(sorted(grants.DELETED_FROM))} TO {{}}")

    assert reasons(app) == []


def test_a_read_only_database_is_not_fit(role: tuple[Flask, Grant]) -> None:
    app, grant = role
    grant("GRANT ALL ON ALL TABLES IN SCHEMA public TO {}")
    grant("ALTER ROLE {} SET default_transaction_read_only = on")

    assert reasons(app) == ["The database is read-only, as a standby is: look at GANGWAY_DATABASE_URL."]


def test_each_table_that_we_delete_from_is_known() -> None:
    code = Path(migrations.__file__).parent.parent
    sources = [path.read_text() for path in code.rglob("*.py") if "simulator" not in path.parts]
    deletes = r"\bdelete(?:_all\(\s*session,\s*|\()(\w+)"
    named = {name for source in sources for name in re.findall(deletes, source)}
    mappers = {mapper.class_.__name__: mapper for mapper in db.Base.registry.mappers}
    deleted = {str(mappers[name].local_table) for name in named & set(mappers)}
    links = [link for mapper in mappers.values() for link in mapper.relationships]
    orphans = {str(link.mapper.local_table) for link in links if link.cascade.delete_orphan}

    assert deleted | orphans | {"portal_draft"} == grants.DELETED_FROM
    assert {*grants.DELETED_FROM, grants.APPEND_ONLY} <= set(db.Base.metadata.tables)
