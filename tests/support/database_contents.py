"""All that a database holds, to be compared before and after."""

from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.core import db


def contents(app: Flask) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with app.app_context(), db.engine().connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(sa.select(table))), key=repr)
            for table in db.Base.metadata.sorted_tables
        }
