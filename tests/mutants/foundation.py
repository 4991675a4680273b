"""What everything stands on: the database, migrations, sealed secrets, settings, logs, metrics and backup."""

from tests.mutants.mutant import Mutant

DB = "app/core/db.py"
SQLITE = "app/core/sqlite.py"
SETTINGS = "app/core/config/__init__.py"
LOGGING = "app/web/logging.py"
MONITORING = "app/monitoring/pages.py"

MUTANTS = (
    Mutant(
        "a time without a zone is stored",
        DB,
        '        if value.tzinfo is None:\n            raise ValueError("a time without a zone")\n',
        "",
        "tests/test_db.py::test_refuses_a_time_without_a_zone",
    ),
    Mutant(
        "an error of the database tells names and addresses",
        DB,
        '{"hide_parameters": True}',
        '{"hide_parameters": False}',
        "tests/test_db.py::test_keeps_values_out_of_its_errors",
    ),
    Mutant(
        "unsaved changes are committed before Stripe is asked",
        DB,
        "if session.new or session.dirty or session.deleted:",
        "if session is None:",
        "tests/test_db.py::test_ends_no_reading_that_has_changed_something",
    ),
    Mutant(
        "a writer on SQLite reads before it holds the database",
        SQLITE,
        '"BEGIN IMMEDIATE"',
        '"BEGIN"',
        "tests/test_db.py::test_on_sqlite_a_writer_holds_the_database_before_it_reads",
    ),
    Mutant(
        "SQLite does not check foreign keys",
        SQLITE,
        '"foreign_keys=ON"',
        '"foreign_keys=OFF"',
        "tests/test_db.py::test_enforces_foreign_keys",
    ),
    Mutant(
        "SQLite loses commits when the power fails",
        SQLITE,
        '"synchronous=FULL"',
        '"synchronous=NORMAL"',
        "tests/test_db.py::test_on_sqlite_is_durable_and_lets_one_write_while_others_read",
    ),
    Mutant(
        "web processes share a connection to the database",
        "app/server.py",
        "db.engine().dispose()  # no",
        "pass  # no",
        "tests/serving/test_forking.py::test_leaves_no_connection_to_share",
    ),
    Mutant(
        "a migration lets everybody wait behind it",
        "app/migrations/locks.py",
        'if connection.dialect.name == "postgresql":',
        'if connection.dialect.name == "":',
        "tests/test_migrations.py::test_on_postgresql_let_nobody_wait_long_behind_them",
        "postgresql",
    ),
    Mutant(
        "the server serves before the tables are there",
        "app/monitoring/readiness.py",
        "    if reason is not None:\n",
        '    if reason == "":\n',
        "tests/monitoring/test_health.py::test_not_ready_while_steps_are_pending",
    ),
    Mutant(
        "a sealed secret opens in another row",
        "app/core/sealing.py",
        "        if sealed_for != row:\n",
        "        if not sealed_for:\n",
        "tests/test_sealing.py::test_refuses_a_value_that_was_moved_from_another_row",
    ),
    Mutant(
        "a former encryption key opens nothing",
        "app/core/sealing.py",
        "for key in keys])",
        "for key in keys[:1]])",
        "tests/test_sealing.py::test_opens_with_any_key_and_seals_with_the_first",
    ),
    Mutant(
        "the portal may run on plain http",
        SETTINGS,
        "if not self.is_secure and not is_loopback(self.public_url):",
        "if not self.public_url:",
        "tests/test_config.py::test_refuse_nonsense_in_one_sentence",
    ),
    Mutant(
        "the simulator may be on another machine",
        SETTINGS,
        "if self.stripe_api_base != STRIPE_API_BASE and not is_loopback(self.stripe_api_base):",
        "if not self.stripe_api_base:",
        "tests/test_config.py::test_refuse_nonsense_in_one_sentence",
    ),
    Mutant(
        "a short secret key is taken",
        "app/core/config/installation.py",
        "any(len(key.get_secret_value()) < 32 for key in value):",
        "any(len(key.get_secret_value()) < 1 for key in value):",
        "tests/test_config.py::test_refuse_nonsense_in_one_sentence",
    ),
    Mutant(
        "Stripe is asked without a budget",
        SETTINGS,
        "self.stripe_rate or (None if self.is_simulated else STRIPE_RATE)",
        "self.stripe_rate",
        "tests/sync/test_throttle.py::test_the_budget_is_stripes_own_unless_it_is_said_otherwise",
    ),
    Mutant(
        "a key stands in the log",
        LOGGING,
        "    (SECRETS, ",
        "    (LINKS, ",
        "tests/web/test_logging.py::test_blots_out_keys_even_in_tracebacks",
    ),
    Mutant(
        "an onboarding link stands in the log",
        LOGGING,
        "    (LINKS, ",
        "    (SECRETS, ",
        "tests/onboarding/test_link.py::test_is_not_in_the_log",
    ),
    Mutant(
        "any token opens the metrics",
        MONITORING,
        'if kind.lower() == "bearer" and is_right:',
        'if kind.lower() == "bearer":',
        "tests/monitoring/test_metrics.py::TestWithToken::test_others_may_not_even_from_this_machine",
    ),
    Mutant(
        "a proxy on this machine opens the metrics",
        MONITORING,
        "return is_loopback and not any(name in request.headers for name in FORWARDED)",
        "return is_loopback",
        "tests/monitoring/test_metrics.py::TestWithoutToken::test_whoever_comes_through_a_proxy_on_this_machine_may_not",
    ),
    Mutant(
        "an outage at Stripe makes the portal unready",
        "app/sync/backlog.py",
        "session.scalars(sa.select(RateBudget.app_id).where(RateBudget.paused_until > before)).all()",
        "session.scalars(sa.select(RateBudget.app_id).where(sa.false())).all()",
        "tests/monitoring/test_backlog.py::test_leaves_out_what_waits_for_stripe",
    ),
    Mutant(
        "others may read a backup",
        "app/core/files.py",
        "OWNER_FILE = 0o600",
        "OWNER_FILE = 0o644",
        "tests/test_backup.py::test_copies_everything_into_a_file_for_its_owner_alone",
    ),
    Mutant(
        "a backup of a broken database seems well",
        "app/core/backup.py",
        'if found != ["ok"]:',
        "if not found:",
        "tests/test_backup.py::test_of_a_broken_database_is_none",
    ),
    Mutant(
        "a program may send a text for a truth value",
        "app/api/parsing.py",
        "return validate(reads, sent, strict=True)",
        "return validate(reads, sent)",
        "tests/apps/test_install_by_program.py::TestInstall::test_names_what_is_wrong",
    ),
    Mutant(
        "a program may send what no database takes",
        "app/api/parsing.py",
        '    refuse_unstorable(sent, "body")\n',
        "",
        "tests/api/test_api.py::TestText::test_is_refused_by_its_field",
    ),
    Mutant(
        "a program may send a body of any size",
        "app/api/parsing.py",
        "    if len(body) > MAX_BODY_BYTES:\n",
        "    if len(body) > 10 * MAX_BODY_BYTES:\n",
        "tests/api/test_api.py::TestBodies::test_too_much_of_unknown_length_is_413",
    ),
)
