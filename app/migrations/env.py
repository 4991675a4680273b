"""How Alembic runs our steps: on the connection it is handed, in one transaction."""

from alembic import context

from app import db

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=db.Base.metadata,
    render_as_batch=True,  # SQLite changes tables by copying them
    compare_type=True,
    transactional_ddl=True,  # SQLite as well, because our engine begins transactions itself
)
with context.begin_transaction():
    context.run_migrations()
