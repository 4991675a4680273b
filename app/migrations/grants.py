"""What the user of the database must be allowed to do with the tables. Only PostgreSQL can forbid it.

If an administrator made the tables, a database may answer every question and refuse the first customer.
"""

from collections import defaultdict
from collections.abc import Iterable

import sqlalchemy as sa

from app.core import db
from app.core.database.errors import POSTGRESQL, READ_ONLY

APPEND_ONLY = "audit_entry"
# From these we delete; somebody may have good reasons to let us delete from no other.
DELETED_FROM = {
    *("billing_access", "billing_code", "checkout_session", "idempotent_request", "operator_link"),
    *("operator_recovery_code", "operator_session", "outbox_message", "pending_install", "portal_draft"),
    *("portal_version", "signing_secret", "subject_key", "worker"),
}
MAX_NAMED = 3  # tables; more of them say nothing new
LACKING = sa.text(
    "SELECT name, privilege FROM unnest(CAST(:names AS text[]), CAST(:privileges AS text[]))"
    " AS needed (name, privilege) WHERE NOT has_table_privilege(name, privilege)"
)


def lacking(connection: sa.Connection) -> str | None:
    """Return a sentence when this user may not do with the tables what we do. All of them must be there."""
    if connection.dialect.name != "postgresql":
        return None
    if connection.scalar(sa.text("SELECT current_setting('transaction_read_only')")) == "on":
        return POSTGRESQL[READ_ONLY]
    needed = [(name, privilege) for name in db.Base.metadata.tables for privilege in _needed(name)]
    names, privileges = zip(*needed, strict=True)
    found = connection.execute(LACKING, {"names": list(names), "privileges": list(privileges)})
    what = _told((name, privilege) for name, privilege in found)
    if not what:
        return None
    return f"The user of the database may not {what}: grant it, or use the owner of the tables."


def _needed(name: str) -> Iterable[str]:
    yield from ("SELECT", "INSERT")
    if name != APPEND_ONLY:
        yield "UPDATE"
    if name in DELETED_FROM:
        yield "DELETE"


def _told(found: Iterable[tuple[str, str]]) -> str:
    by_privilege = defaultdict(list)
    for name, privilege in found:
        by_privilege[privilege].append(name)
    return ", or ".join(f"{privilege} {_listed(sorted(names))}" for privilege, names in by_privilege.items())


def _listed(names: list[str]) -> str:
    more = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {more} more tables" if more > 0 else "")
