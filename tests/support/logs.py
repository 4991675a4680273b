"""Our log, read."""

import json
from typing import Any


def lines_of(text: str) -> list[dict[str, Any]]:
    """The lines of a log in JSON."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
