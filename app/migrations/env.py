"""How Alembic runs our steps: on the connection that it gets, each in a separate transaction."""

from alembic import context

from app import migrations
from app.core import db
from app.migrations import compatibility

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=db.Base.metadata,
    render_as_batch=True,  # SQLite changes tables by copying them
    compare_type=True,
    include_name=migrations.is_compared,
    transaction_per_migration=True,
    on_version_apply=compatibility.record,
    transactional_ddl=True,  # SQLite as well, because our engine begins transactions itself
)
with context.begin_transaction():
    context.run_migrations()
