"""The cards that people enter at Stripe, and the audit log of what came of it."""

from app.audit import Entry
from tests.support.rows import Rows

DECLINED, CHALLENGED = "4000000000000002", "4000002500003155"


def kinds(rows: Rows) -> list[str]:
    """The audit log's entries, in order."""
    return [entry.kind for entry in sorted(rows(Entry), key=lambda entry: entry.id)]
