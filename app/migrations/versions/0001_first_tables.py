"""The first tables."""

import sqlalchemy as sa
from alembic import op

import app.core.db

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    op.create_table(
        "api_token",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
    )
    op.create_table(
        "app",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("metadata", sa.JSON(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("stripe_account_id", sa.String(length=255), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("api_key_sealed", sa.Text(), nullable=False),
        sa.Column("masked_api_key", sa.String(length=32), nullable=False),
        sa.Column("webhook_endpoint_id", sa.String(length=255), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app")),
    )
    op.create_index(
        "uq_app_account_live",
        "app",
        ["stripe_account_id", "livemode"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_app_default",
        "app",
        ["is_default"],
        unique=True,
        sqlite_where=sa.text("is_default AND deleted_at IS NULL"),
        postgresql_where=sa.text("is_default AND deleted_at IS NULL"),
    )
    op.create_table(
        "customer",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("key", sa.String(length=256), nullable=True),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("description", sa.String(length=1024), nullable=True),
        sa.Column("primary_email", sa.Text(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("billing_address", sa.JSON(), nullable=True),
        sa.Column("metadata", sa.JSON(), nullable=True),
        sa.Column("created_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
    )
    op.create_index(
        "ix_customer_live_created",
        "customer",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_customer_live_id",
        "customer",
        ["id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_customer_live_name",
        "customer",
        ["name", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_customer_key_live",
        "customer",
        ["key"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "customer_count",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("live", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", name=op.f("pk_customer_count")),
    )
    op.create_table(
        "idempotent_request",
        sa.Column("token_id", sa.String(length=26), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("started_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_id", "key", name=op.f("pk_idempotent_request")),
    )
    op.create_index("ix_idempotent_request_started_at", "idempotent_request", ["started_at"], unique=False)
    op.create_table(
        "journal_entry",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("customer_id", sa.String(length=26), nullable=True),
        sa.Column("app_id", sa.String(length=26), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_entry")),
    )
    op.create_index("ix_journal_entry_customer_id_id", "journal_entry", ["customer_id", "id"], unique=False)
    op.create_table(
        "payer",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("app_id", sa.String(length=26), nullable=False),
        sa.Column("customer_id", sa.String(length=26), nullable=False),
        sa.Column("stripe_customer_id", sa.String(length=255), nullable=False),
        sa.Column("default_method_id", sa.String(length=255), nullable=True),
        sa.Column("chosen_method_id", sa.String(length=255), nullable=True),
        sa.Column("gone_at", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("verified_at", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("due_at", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("hints", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("lease", sa.String(length=26), nullable=True),
        sa.Column("leased_until", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_payer_app_id_app")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_payer_customer_id_customer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payer")),
    )
    op.create_index("ix_payer_customer_id", "payer", ["customer_id"], unique=False)
    op.create_index("ix_payer_due_at", "payer", ["due_at"], unique=False)
    op.create_index(
        "uq_payer_customer_live",
        "payer",
        ["app_id", "customer_id"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_payer_stripe_customer_live",
        "payer",
        ["app_id", "stripe_customer_id"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "signing_secret",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("app_id", sa.String(length=26), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("retired_at", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name=op.f("fk_signing_secret_app_id_app"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_secret")),
    )
    op.create_index("ix_signing_secret_app_id", "signing_secret", ["app_id"], unique=False)
    op.create_table(
        "signup",
        sa.Column("customer_id", sa.String(length=26), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_signup_customer_id_customer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_signup")),
    )
    op.create_index("ix_signup_browser_hash", "signup", ["browser_hash"], unique=False)
    op.create_table(
        "subject_key",
        sa.Column("customer_id", sa.String(length=26), nullable=False),
        sa.Column("key", sa.String(length=256), nullable=False),
        sa.Column("deleted_at", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_subject_key_customer_id_customer"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("customer_id", "key", name=op.f("pk_subject_key")),
    )
    op.create_index(
        "uq_subject_key_live",
        "subject_key",
        ["key"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "checkout_session",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("payer_id", sa.String(length=26), nullable=False),
        sa.Column("setup_intent_id", sa.String(length=255), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("setup_status", sa.String(length=32), nullable=False),
        sa.Column("next_action", sa.String(length=64), nullable=True),
        sa.Column("payment_method_id", sa.String(length=255), nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("decline_code", sa.String(length=64), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("expires_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("settled_at", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["payer_id"], ["payer.id"], name=op.f("fk_checkout_session_payer_id_payer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkout_session")),
        sa.UniqueConstraint("setup_intent_id", name=op.f("uq_checkout_session_setup_intent_id")),
    )
    op.create_index("ix_checkout_session_payer_id", "checkout_session", ["payer_id"], unique=False)
    op.create_table(
        "event",
        sa.Column("app_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=255), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("payer_id", sa.String(length=26), nullable=True),
        sa.Column("received_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("due_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("finished_at", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_event_app_id_app")),
        sa.ForeignKeyConstraint(["payer_id"], ["payer.id"], name=op.f("fk_event_payer_id_payer")),
        sa.PrimaryKeyConstraint("app_id", "id", name=op.f("pk_event")),
    )
    op.create_index("ix_event_payer_id_state", "event", ["payer_id", "state"], unique=False)
    op.create_index("ix_event_state_due_at", "event", ["state", "due_at"], unique=False)
    op.create_table(
        "payment_method",
        sa.Column("app_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("payer_id", sa.String(length=26), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("brand", sa.String(length=64), nullable=True),
        sa.Column("last4", sa.String(length=8), nullable=True),
        sa.Column("exp_month", sa.Integer(), nullable=True),
        sa.Column("exp_year", sa.Integer(), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("bank_name", sa.String(length=255), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("wallet", sa.String(length=64), nullable=True),
        sa.Column("created_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("detached_at", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_payment_method_app_id_app")),
        sa.ForeignKeyConstraint(["payer_id"], ["payer.id"], name=op.f("fk_payment_method_payer_id_payer")),
        sa.PrimaryKeyConstraint("app_id", "id", name=op.f("pk_payment_method")),
    )
    op.create_index("ix_payment_method_payer_id", "payment_method", ["payer_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_payment_method_payer_id", table_name="payment_method")
    op.drop_table("payment_method")
    op.drop_index("ix_event_state_due_at", table_name="event")
    op.drop_index("ix_event_payer_id_state", table_name="event")
    op.drop_table("event")
    op.drop_index("ix_checkout_session_payer_id", table_name="checkout_session")
    op.drop_table("checkout_session")
    op.drop_index("uq_subject_key_live", table_name="subject_key")
    op.drop_table("subject_key")
    op.drop_index("ix_signup_browser_hash", table_name="signup")
    op.drop_table("signup")
    op.drop_index("ix_signing_secret_app_id", table_name="signing_secret")
    op.drop_table("signing_secret")
    op.drop_index("uq_payer_stripe_customer_live", table_name="payer")
    op.drop_index("uq_payer_customer_live", table_name="payer")
    op.drop_index("ix_payer_due_at", table_name="payer")
    op.drop_index("ix_payer_customer_id", table_name="payer")
    op.drop_table("payer")
    op.drop_index("ix_journal_entry_customer_id_id", table_name="journal_entry")
    op.drop_table("journal_entry")
    op.drop_index("ix_idempotent_request_started_at", table_name="idempotent_request")
    op.drop_table("idempotent_request")
    op.drop_table("customer_count")
    op.drop_index("uq_customer_key_live", table_name="customer")
    op.drop_index("ix_customer_live_name", table_name="customer")
    op.drop_index("ix_customer_live_id", table_name="customer")
    op.drop_index("ix_customer_live_created", table_name="customer")
    op.drop_table("customer")
    op.drop_index("uq_app_default", table_name="app")
    op.drop_index("uq_app_account_live", table_name="app")
    op.drop_table("app")
    op.drop_table("api_token")
