"""The `gangway` command."""

import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

import click
import structlog
from alembic.util import CommandError
from cryptography.fernet import Fernet
from flask import Flask
from flask.cli import ScriptInfo
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from app import create_app, db, demo, migrations
from app.apps.cli import group as stripe_group
from app.config import Settings, SettingsRefused
from app.doctor.cli import doctor_command
from app.errors import AppError
from app.migrations.cli import group as db_group
from app.monitoring.cli import group as monitoring_group
from app.operators.cli import group as token_group
from app.operators.cli import people as operator_group
from app.payers.cli import uninstall_command
from app.serving.listening import HIGHEST_PORT, check_bind, refuse_taken
from app.sync.cli import command as backfill_command
from app.web import logging

PORT = click.IntRange(1, HIGHEST_PORT)


class Commands(click.Group):
    """Says what went wrong in a sentence; a traceback only for bugs."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except SettingsRefused as error:
            raise click.ClickException(str(error)) from error
        except AppError as error:
            raise click.ClickException(error.detail) from error
        except CommandError as error:  # Alembic's, such as for a step that there is not
            raise click.ClickException(str(error)) from error
        except SQLAlchemyError as error:
            said = db.explain(error)
            if said is None:
                raise
            raise click.ClickException(said) from error


def _application(_info: object = None) -> Flask:
    settings = Settings.load()
    logging.configure(settings)
    return create_app(settings)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(ctx: click.Context) -> None:
    """Gangway: your customer, a Stripe customer and a saved payment method, in agreement."""
    ctx.obj = ScriptInfo(create_app=_application)


stripe_group.add_command(uninstall_command)
main.add_command(doctor_command)
main.add_command(stripe_group)
main.add_command(db_group)
main.add_command(monitoring_group)
main.add_command(operator_group)
main.add_command(token_group)
main.add_command(backfill_command)


@main.command("demo")
@click.option("--port", type=PORT, default=8000, show_default=True, help="Where the portal listens.")
@click.option(
    "--stripe-port", type=PORT, default=12111, show_default=True, help="Where the simulated Stripe listens."
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    show_default="a folder in instance/ for these ports",
    help="Where it keeps its files.",
)
@click.option("--fresh", is_flag=True, help="Forget what an earlier demo stored.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON instead of prose.")
def demo_command(*, port: int, stripe_port: int, data: Path | None, fresh: bool, as_json: bool) -> None:
    """Run everything, with a simulated Stripe and a database of its own. Stops on Ctrl-C."""
    demo.run(port=port, stripe_port=stripe_port, folder=data, fresh=fresh, as_json=as_json)


@main.command()
@click.option(
    "--bind",
    default="127.0.0.1:8000",
    show_default=True,
    callback=check_bind,
    help="Address and port to listen on.",
)
def serve(bind: str) -> None:
    """Run the portal under a production server, with its worker, by the settings."""
    from app.server import Server  # noqa: PLC0415  (gunicorn wants a Unix; the demo does not)

    settings = Settings.load()
    logging.configure(settings)
    refuse_taken(bind)
    with create_app(settings).app_context():
        _refuse_old_tables()
        _offer_setup()
    sys.argv = ["gangway"]  # gunicorn would read our own options as its own
    Server(settings, bind).run()


def _refuse_old_tables() -> None:
    if migrations.pending():
        raise click.ClickException("The database is not up to date: run `gangway db upgrade` first.")


def _offer_setup() -> None:
    """Say in the log how the first operator is made, while there is none."""
    from app import operators  # noqa: PLC0415

    address = operators.offer_setup(db.session())
    if address:
        structlog.get_logger("gangway.operators").warning("no operator yet", set_up_once_at=address)


@main.command()
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="How many customers are looked at at once.",
)
@click.option("--metrics", type=PORT, help="Serve its numbers on this port of loopback, for Prometheus.")
def worker(threads: int, metrics: int | None) -> None:
    """Run the worker alone, beside web processes that have GANGWAY_WORKER_THREADS=0."""
    from prometheus_client import start_http_server  # noqa: PLC0415

    from app.sync import Worker  # noqa: PLC0415

    application = _application()
    with application.app_context(), suppress(OperationalError):  # the database may be away just now
        _refuse_old_tables()
    alone = Worker(application, threads)
    if metrics is not None:
        numbers = application.extensions["gangway.metrics"].registry
        try:
            start_http_server(metrics, "127.0.0.1", registry=numbers)
        except OSError as error:
            said = f"Port {metrics} of loopback is taken: choose another with --metrics."
            raise click.ClickException(said) from error
    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopped.set())
    alone.start()
    stopped.wait()
    alone.stop()


@main.command()
@click.option("--port", type=PORT, default=12111, show_default=True, help="Where to listen, on loopback.")
@click.option("--data", type=click.Path(path_type=Path, dir_okay=False), help="Keep the books in this file.")
def simulator(port: int, data: Path | None) -> None:
    """Run the simulated Stripe alone."""
    demo.run_simulator(port=port, data=data)


@main.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup_command(file: Path) -> None:
    """Copy the database into a new FILE, whole, while everything goes on."""
    from app import backup  # noqa: PLC0415

    with create_app(Settings.load()).app_context():
        size = backup.backup(db.engine(), file)
    click.echo(f"{file} ({size:,} bytes) has everything but the settings; GANGWAY_ENCRYPTION_KEYS opens it.")


@main.command()
def check() -> None:
    """Print the settings, secrets masked, and what is missing. Exit 1 when something is."""
    settings = Settings.load()
    for name in Settings.model_fields:
        click.echo(f"GANGWAY_{name.upper()}={shown(settings, name)}")
    with create_app(settings).app_context():
        problems = _missing()
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise SystemExit(1)
    click.echo("Nothing is missing.")


def shown(settings: Settings, name: str) -> str:
    """A setting as it may be printed: no secret, and no password of a database or of Redis."""
    import sqlalchemy as sa  # noqa: PLC0415

    value = getattr(settings, name)
    if name == "encryption_keys":
        return ",".join("***" for _ in value)
    if name in {"database_url", "rate_limit_storage"}:
        return sa.make_url(value).render_as_string(hide_password=True)
    if isinstance(value, tuple):
        return ",".join(value)
    return "" if value is None else str(value)


def _missing() -> list[str]:
    import sqlalchemy as sa  # noqa: PLC0415

    from app import apps, db  # noqa: PLC0415
    from app.errors import NotFound  # noqa: PLC0415

    try:
        if migrations.pending():
            return ["The database is not up to date: run `gangway db upgrade`."]
    except sa.exc.SQLAlchemyError:
        return ["The database does not answer: look at GANGWAY_DATABASE_URL."]
    try:
        apps.find(db.session())
    except NotFound:
        return ["No Stripe app is installed: run `gangway stripe install --api-key …`."]
    return []


@main.command()
def key() -> None:
    """Print a fresh key, good for GANGWAY_SECRET_KEY and for GANGWAY_ENCRYPTION_KEYS."""
    click.echo(Fernet.generate_key().decode())
