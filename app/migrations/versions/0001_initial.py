"""Every table of version 0.2.0.

Revision ID: 0001
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.core.db import DisplayText, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
oldest_code = "0001"

LIVE = "deleted_at IS NULL"
TROUBLED = "status IN ('failed', 'abandoned', 'expiring', 'expired', 'removed', 'customer_gone')"


def upgrade() -> None:
    """Create the tables, each after those that it refers to."""
    for create in TABLES.values():
        create()
    if op.get_bind().dialect.name == "postgresql":
        # So that the planner can tell a name of one in a thousand from a name of one in a hundred.
        op.execute("ALTER TABLE customer ALTER COLUMN search_text SET STATISTICS 1000")


def downgrade() -> None:
    """Drop them all."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _api_token() -> None:
    op.create_table(
        "api_token",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime()),
        sa.Column("revoked_at", UtcDateTime()),
        sa.Column("last_used_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_api_token"),
    )
    op.create_index(
        "uq_api_token_name_live", "api_token", ["name"], unique=True, **_where("revoked_at IS NULL")
    )


def _app() -> None:
    op.create_table(
        "app",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("metadata", sa.JSON()),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("stripe_account_id", sa.String(length=255), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("api_key_sealed", sa.Text(), nullable=False),
        sa.Column("masked_api_key", sa.String(length=32), nullable=False),
        sa.Column("webhook_endpoint_id", sa.String(length=255), nullable=False),
        sa.Column("webhook_changed_at", UtcDateTime()),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("deleted_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_app"),
    )
    op.create_index(
        "uq_app_account_live",
        "app",
        ["stripe_account_id", "livemode"],
        unique=True,
        **_where(LIVE),
    )
    op.create_index(
        "uq_app_default", "app", ["is_default"], unique=True, **_where("is_default AND deleted_at IS NULL")
    )


def _customer() -> None:
    op.create_table(
        "customer",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("key", sa.String(length=256)),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("description", sa.String(length=1024)),
        sa.Column("primary_email", sa.Text()),
        sa.Column("currency", sa.String(length=3)),
        sa.Column("billing_address", sa.JSON()),
        sa.Column("adopted", sa.JSON(none_as_null=True)),
        sa.Column("metadata", sa.JSON()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("deleted_at", UtcDateTime()),
        sa.Column("search_text", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_customer"),
    )
    op.create_index(
        "ix_customer_deleted_created", "customer", ["created_at", "id"], **_where("deleted_at IS NOT NULL")
    )
    op.create_index(
        "ix_customer_deleted_name", "customer", ["name", "id"], **_where("deleted_at IS NOT NULL")
    )
    op.create_index("ix_customer_live_created", "customer", ["created_at", "id"], **_where(LIVE))
    op.create_index("ix_customer_live_id", "customer", ["id"], **_where(LIVE))
    op.create_index("ix_customer_live_name", "customer", ["name", "id"], **_where(LIVE))
    op.create_index("uq_customer_key_live", "customer", ["key"], unique=True, **_where(LIVE))


def _customer_count() -> None:
    op.create_table(
        "customer_count",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("live", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", name="pk_customer_count"),
    )


def _idempotent_request() -> None:
    op.create_table(
        "idempotent_request",
        sa.Column("token_id", sa.String(length=26), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("body", sa.Text()),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("token_id", "key", name="pk_idempotent_request"),
    )
    op.create_index("ix_idempotent_request_started_at", "idempotent_request", ["started_at"])


def _journal_entry() -> None:
    op.create_table(
        "journal_entry",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("customer_id", sa.String(length=26)),
        sa.Column("app_id", sa.String(length=26)),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_journal_entry"),
    )
    op.create_index("ix_journal_entry_actor_id", "journal_entry", ["actor", "id"])
    op.create_index("ix_journal_entry_app_id_id", "journal_entry", ["app_id", "id"])
    op.create_index("ix_journal_entry_customer_id_id", "journal_entry", ["customer_id", "id"])
    op.create_index("ix_journal_entry_kind_actor_id", "journal_entry", ["kind", "actor", "id"])
    op.create_index("ix_journal_entry_kind_id", "journal_entry", ["kind", "id"])


def _operator() -> None:
    op.create_table(
        "operator",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_folded", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("is_first", sa.Boolean()),
        sa.Column("password_hash", sa.String(length=255)),
        sa.Column("password_changed_at", UtcDateTime()),
        sa.Column("totp_sealed", sa.Text()),
        sa.Column("totp_enabled_at", UtcDateTime()),
        sa.Column("totp_last_step", sa.BigInteger()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_login_at", UtcDateTime()),
        sa.Column("failure_noted_at", UtcDateTime()),
        sa.Column("disabled_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_operator"),
        sa.UniqueConstraint("email_folded", name="uq_operator_email_folded"),
        sa.UniqueConstraint("is_first", name="uq_operator_is_first"),
    )


def _pending_install() -> None:
    op.create_table(
        "pending_install",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("browser", sa.String(length=26), nullable=False),
        sa.Column("api_key_sealed", sa.Text(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pending_install"),
    )


def _worker() -> None:
    op.create_table(
        "worker",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("threads", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_worker"),
    )


def _backfill() -> None:
    op.create_table(
        "backfill",
        sa.Column("app_id", sa.String(length=26), nullable=False),
        sa.Column("cursor", UtcDateTime()),
        sa.Column("floor", UtcDateTime()),
        sa.Column("head", UtcDateTime()),
        sa.Column("after", sa.String(length=255)),
        sa.Column("last_run_at", UtcDateTime()),
        sa.Column("next_run_at", UtcDateTime(), nullable=False),
        sa.Column("last_error", sa.Text()),
        sa.Column("found", sa.BigInteger(), nullable=False),
        sa.Column("lease", sa.String(length=26)),
        sa.Column("leased_until", UtcDateTime()),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name="fk_backfill_app_id_app"),
        sa.PrimaryKeyConstraint("app_id", name="pk_backfill"),
    )


def _examination() -> None:
    op.create_table(
        "examination",
        sa.Column("app_id", sa.String(length=26), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name="fk_examination_app_id_app"),
        sa.PrimaryKeyConstraint("app_id", name="pk_examination"),
    )


def _examination_schedule() -> None:
    op.create_table(
        "examination_schedule",
        sa.Column("app_id", sa.String(length=26), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("signs", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name="fk_examination_schedule_app_id_app"),
        sa.PrimaryKeyConstraint("app_id", name="pk_examination_schedule"),
    )


def _expected_stripe_customer() -> None:
    op.create_table(
        "expected_stripe_customer",
        sa.Column("app_id", sa.String(length=26), nullable=False),
        sa.Column("customer_id", sa.String(length=26), nullable=False),
        sa.Column("first_asked_at", UtcDateTime(), nullable=False),
        sa.Column("last_asked_at", UtcDateTime(), nullable=False),
        sa.Column("contact", sa.String(length=16), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name="fk_expected_stripe_customer_app_id_app"),
        sa.PrimaryKeyConstraint("app_id", "customer_id", name="pk_expected_stripe_customer"),
    )


def _onboarding_link() -> None:
    op.create_table(
        "onboarding_link",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("customer_id", sa.String(length=26), nullable=False),
        sa.Column("app_id", sa.String(length=26)),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime()),
        sa.Column("renewed_by", sa.String(length=26)),
        sa.Column("opened_at", UtcDateTime()),
        sa.Column("used_at", UtcDateTime()),
        sa.Column("last_used_at", UtcDateTime()),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name="fk_onboarding_link_customer_id_customer"
        ),
        sa.ForeignKeyConstraint(
            ["renewed_by"], ["onboarding_link.id"], name="fk_onboarding_link_renewed_by_onboarding_link"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_onboarding_link"),
        sa.UniqueConstraint("token_hash", name="uq_onboarding_link_token_hash"),
    )
    op.create_index("ix_onboarding_link_customer_id", "onboarding_link", ["customer_id"])


def _operator_link() -> None:
    op.create_table(
        "operator_link",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("operator_id", sa.String(length=26)),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operator.id"], name="fk_operator_link_operator_id_operator"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_operator_link"),
        sa.UniqueConstraint("token_hash", name="uq_operator_link_token_hash"),
    )
    op.create_index("ix_operator_link_operator_id", "operator_link", ["operator_id"])


def _operator_recovery_code() -> None:
    op.create_table(
        "operator_recovery_code",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("operator_id", sa.String(length=26), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", UtcDateTime()),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operator.id"], name="fk_operator_recovery_code_operator_id_operator"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_operator_recovery_code"),
        sa.UniqueConstraint(
            "operator_id", "code_hash", name="uq_operator_recovery_code_operator_id_code_hash"
        ),
    )


def _operator_session() -> None:
    op.create_table(
        "operator_session",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("operator_id", sa.String(length=26), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operator.id"], name="fk_operator_session_operator_id_operator"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_operator_session"),
        sa.UniqueConstraint("token_hash", name="uq_operator_session_token_hash"),
    )
    op.create_index("ix_operator_session_operator_id", "operator_session", ["operator_id"])


def _pace() -> None:
    op.create_table(
        "pace",
        sa.Column("app_id", sa.String(length=26), nullable=False),
        sa.Column("served_at", UtcDateTime(), nullable=False),
        sa.Column("free_at", UtcDateTime(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("paused_until", UtcDateTime()),
        sa.Column("is_throttled", sa.Boolean(), nullable=False),
        sa.Column("verified_at", UtcDateTime()),
        sa.Column("drifts", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name="fk_pace_app_id_app"),
        sa.PrimaryKeyConstraint("app_id", name="pk_pace"),
    )


def _payer() -> None:
    op.create_table(
        "payer",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("app_id", sa.String(length=26), nullable=False),
        sa.Column("customer_id", sa.String(length=26), nullable=False),
        sa.Column("stripe_customer_id", sa.String(length=255), nullable=False),
        sa.Column("default_method_id", sa.String(length=255)),
        sa.Column("chosen_method_id", sa.String(length=255)),
        sa.Column("policy_method_id", sa.String(length=255)),
        sa.Column("is_choice_due", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("gone_at", UtcDateTime()),
        sa.Column("verified_at", UtcDateTime()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("deleted_at", UtcDateTime()),
        sa.Column("status", sa.String(length=16)),
        sa.Column("status_since", UtcDateTime()),
        sa.Column("status_until", UtcDateTime(), server_default=sa.text("'1970-01-01 00:00:00.000000'")),
        sa.Column("due_at", UtcDateTime()),
        sa.Column("due_for", sa.String(length=16)),
        sa.Column("is_wanted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("hints", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text()),
        sa.Column("lease", sa.String(length=26)),
        sa.Column("leased_until", UtcDateTime()),
        sa.Column("verify_at", UtcDateTime(), server_default=sa.text("'1970-01-01 00:00:00.000000'")),
        sa.Column("is_contact_due", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_name_due", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_email_due", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("contact_until", UtcDateTime()),
        sa.Column("contact_refusal", DisplayText()),
        sa.Column("blocked_at", UtcDateTime()),
        sa.Column("declines_since", UtcDateTime()),
        sa.Column("stripe_contact", sa.JSON(none_as_null=True)),
        sa.Column("drift", sa.Text()),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name="fk_payer_app_id_app"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_payer_customer_id_customer"),
        sa.PrimaryKeyConstraint("id", name="pk_payer"),
    )
    op.create_index(
        "ix_payer_begun", "payer", ["customer_id"], **_where("deleted_at IS NULL AND status <> 'none'")
    )
    op.create_index("ix_payer_customer_id", "payer", ["customer_id"])
    op.create_index("ix_payer_drift", "payer", ["verified_at"], **_where("drift IS NOT NULL"))
    op.create_index("ix_payer_due", "payer", ["app_id", "due_at"], **_where("due_at IS NOT NULL"))
    op.create_index("ix_payer_live_status", "payer", ["status", "app_id", "customer_id"], **_where(LIVE))
    op.create_index("ix_payer_live_status_until", "payer", ["status_until"], **_where(LIVE))
    op.create_index("ix_payer_stripe_customer_id", "payer", ["stripe_customer_id"])
    op.create_index(
        "ix_payer_troubled",
        "payer",
        ["app_id", "status", "status_since"],
        **_where(f"{LIVE} AND {TROUBLED}"),
    )
    op.create_index(
        "ix_payer_verify",
        "payer",
        ["app_id", "verify_at"],
        **_where("deleted_at IS NULL AND gone_at IS NULL"),
    )
    op.create_index(
        "ix_payer_wanted", "payer", ["app_id", "due_at"], **_where("is_wanted AND due_at IS NOT NULL")
    )
    op.create_index(
        "uq_payer_customer_live",
        "payer",
        ["app_id", "customer_id"],
        unique=True,
        **_where(LIVE),
    )
    op.create_index(
        "uq_payer_stripe_customer_live",
        "payer",
        ["app_id", "stripe_customer_id"],
        unique=True,
        **_where(LIVE),
    )


def _signing_secret() -> None:
    op.create_table(
        "signing_secret",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("app_id", sa.String(length=26), nullable=False),
        sa.Column("endpoint_id", sa.String(length=255)),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("retire_at", UtcDateTime()),
        sa.Column("retired_at", UtcDateTime()),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name="fk_signing_secret_app_id_app", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_signing_secret"),
    )
    op.create_index("ix_signing_secret_app_id", "signing_secret", ["app_id"])


def _subject_key() -> None:
    op.create_table(
        "subject_key",
        sa.Column("customer_id", sa.String(length=26), nullable=False),
        sa.Column("key", sa.String(length=256), nullable=False),
        sa.Column("deleted_at", UtcDateTime()),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name="fk_subject_key_customer_id_customer", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("customer_id", "key", name="pk_subject_key"),
    )
    op.create_index("uq_subject_key_live", "subject_key", ["key"], unique=True, **_where(LIVE))


def _checkout_session() -> None:
    op.create_table(
        "checkout_session",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("payer_id", sa.String(length=26), nullable=False),
        sa.Column("setup_intent_id", sa.String(length=255), nullable=False),
        sa.Column("url", sa.Text()),
        sa.Column("currency", DisplayText(length=3)),
        sa.Column("status", DisplayText(length=16), nullable=False),
        sa.Column("setup_status", DisplayText(length=32), nullable=False),
        sa.Column("next_action", DisplayText(length=64)),
        sa.Column("verification_url", sa.Text()),
        sa.Column("payment_method_id", sa.String(length=255)),
        sa.Column("error_code", DisplayText(length=64)),
        sa.Column("decline_code", DisplayText(length=64)),
        sa.Column("error_message", DisplayText()),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime()),
        sa.ForeignKeyConstraint(["payer_id"], ["payer.id"], name="fk_checkout_session_payer_id_payer"),
        sa.PrimaryKeyConstraint("id", name="pk_checkout_session"),
        sa.UniqueConstraint("setup_intent_id", name="uq_checkout_session_setup_intent_id"),
    )
    op.create_index("ix_checkout_session_payer_id", "checkout_session", ["payer_id"])


def _event() -> None:
    op.create_table(
        "event",
        sa.Column("app_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=255), nullable=False),
        sa.Column("origin", sa.String(length=16), server_default="webhook", nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("payer_id", sa.String(length=26)),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("finished_at", UtcDateTime()),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name="fk_event_app_id_app"),
        sa.ForeignKeyConstraint(["payer_id"], ["payer.id"], name="fk_event_payer_id_payer"),
        sa.PrimaryKeyConstraint("app_id", "id", name="pk_event"),
    )
    op.create_index("ix_event_backfilled", "event", ["received_at"], **_where("origin = 'backfill'"))
    op.create_index("ix_event_payer_id_state", "event", ["payer_id", "state"])
    op.create_index(
        "ix_event_prunable",
        "event",
        ["finished_at"],
        **_where("state IN ('done', 'ignored') AND payload <> ''"),
    )
    op.create_index("ix_event_received_at", "event", ["received_at"])
    op.create_index("ix_event_state_due_at", "event", ["state", "due_at"])
    op.create_index("ix_event_type_received_at", "event", ["type", "received_at"])


def _payment_method() -> None:
    op.create_table(
        "payment_method",
        sa.Column("app_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("payer_id", sa.String(length=26), nullable=False),
        sa.Column("type", DisplayText(length=64), nullable=False),
        sa.Column("brand", DisplayText(length=64)),
        sa.Column("last4", DisplayText(length=8)),
        sa.Column("exp_month", sa.Integer()),
        sa.Column("exp_year", sa.Integer()),
        sa.Column("country", DisplayText(length=2)),
        sa.Column("bank_name", DisplayText(length=255)),
        sa.Column("email", DisplayText()),
        sa.Column("wallet", DisplayText(length=64)),
        sa.Column("fingerprint", DisplayText(length=255)),
        sa.Column("display_name", DisplayText(length=255)),
        sa.Column("handle", DisplayText(length=255)),
        sa.Column("mandate_id", sa.String(length=255)),
        sa.Column("mandate_status", DisplayText(length=16)),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("detached_at", UtcDateTime()),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name="fk_payment_method_app_id_app"),
        sa.ForeignKeyConstraint(["payer_id"], ["payer.id"], name="fk_payment_method_payer_id_payer"),
        sa.PrimaryKeyConstraint("app_id", "id", name="pk_payment_method"),
    )
    op.create_index("ix_payment_method_payer_id", "payment_method", ["payer_id"])


def _signup() -> None:
    op.create_table(
        "signup",
        sa.Column("customer_id", sa.String(length=26), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("form_id", sa.String(length=26)),
        sa.Column("link_id", sa.String(length=26)),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name="fk_signup_customer_id_customer", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["link_id"], ["onboarding_link.id"], name="fk_signup_link_id_onboarding_link", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("customer_id", "browser_hash", name="pk_signup"),
    )
    op.create_index("ix_signup_browser_hash", "signup", ["browser_hash"])
    op.create_index("uq_signup_form", "signup", ["customer_id"], unique=True, **_where("link_id IS NULL"))
    op.create_index("uq_signup_form_id", "signup", ["form_id"], unique=True)


TABLES: dict[str, Callable[[], None]] = {
    "api_token": _api_token,
    "app": _app,
    "customer": _customer,
    "customer_count": _customer_count,
    "idempotent_request": _idempotent_request,
    "journal_entry": _journal_entry,
    "operator": _operator,
    "pending_install": _pending_install,
    "worker": _worker,
    "backfill": _backfill,
    "examination": _examination,
    "examination_schedule": _examination_schedule,
    "expected_stripe_customer": _expected_stripe_customer,
    "onboarding_link": _onboarding_link,
    "operator_link": _operator_link,
    "operator_recovery_code": _operator_recovery_code,
    "operator_session": _operator_session,
    "pace": _pace,
    "payer": _payer,
    "signing_secret": _signing_secret,
    "subject_key": _subject_key,
    "checkout_session": _checkout_session,
    "event": _event,
    "payment_method": _payment_method,
    "signup": _signup,
}
