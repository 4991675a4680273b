"""The commands that run the whole application: `serve`, `worker`, `demo`, `simulator`, `backup`."""

import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

import click
import sqlalchemy as sa
import structlog
from flask import Flask
from sqlalchemy.exc import OperationalError

from app.cli.options import chosen_sources
from app.core import db, files
from app.core.config import Settings
from app.core.environment import Sources
from app.core.lean import lean_imports
from app.serving.listening import HIGHEST_PORT, check_bind, refuse_taken
from app.web import logging
from app.web.addresses import proxies

PORT = click.IntRange(1, HIGHEST_PORT)


def application(_info: object = None) -> Flask:
    """Make the application by the settings of this command."""
    from app import create_app  # noqa: PLC0415  (it takes most of the time)

    return create_app(_settings())


def _settings() -> Settings:
    """Read the settings of this command, and make the data folder if the database belongs there."""
    sources = chosen_sources()
    settings = Settings.load(sources)
    logging.configure(settings)
    database = db.sqlite_file(sa.make_url(settings.database_url))
    if database is not None and database.parent == settings.data_dir:
        try:
            files.make_folder(settings.data_dir)
        except OSError as error:
            raise click.ClickException(
                f"The data folder {settings.data_dir} can't be made: {error.strerror}."
                " Set GANGWAY_DATA_DIR to a folder of your own."
            ) from error
        if sources.chosen_by == "the checkout":
            files.close_to_others(settings.data_dir)
    return settings


def _log_start(sources: Sources) -> None:
    """Say in the log where the settings and the data are, and which variables nothing reads."""
    log = structlog.get_logger("gangway.start")
    log.info("settings_read", data_folder=str(sources.data_folder), env_file=str(sources.env_file or ""))
    for sentence in sources.misspelt(Settings.model_fields):
        log.warning("unknown_setting", detail=sentence)


@click.command("demo")
@click.option("--port", type=PORT, default=8000, show_default=True, help="Where the portal listens.")
@click.option(
    "--stripe-port", type=PORT, default=12111, show_default=True, help="Where the simulated Stripe listens."
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    show_default="a folder for these ports in the data folder",
    help="Where it keeps its files.",
)
@click.option("--fresh", is_flag=True, help="Forget what an earlier demo stored.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON instead of prose.")
@click.option(
    "--reload", is_flag=True, help="Restart when a source file or a template changes; keep the data."
)
def demo_command(
    *, port: int, stripe_port: int, data: Path | None, fresh: bool, as_json: bool, reload: bool
) -> None:
    """Run everything, with a simulated Stripe and its own database. Stops on Ctrl-C."""
    from app.cli import demo  # noqa: PLC0415

    demo.run(port=port, stripe_port=stripe_port, folder=data, fresh=fresh, as_json=as_json, reload=reload)


@click.command("serve")
@click.option(
    "--bind",
    default="127.0.0.1:8000",
    show_default=True,
    callback=check_bind,
    help="Address and port to listen on.",
)
def serve_command(bind: str) -> None:
    """Run the portal and its worker under a production server."""
    with lean_imports():
        from app import create_app  # noqa: PLC0415
        from app.serving.server import Server  # noqa: PLC0415  (gunicorn wants a Unix; the demo does not)

    settings = _settings()
    _log_start(chosen_sources())
    refuse_taken(bind)
    if doubt := proxies.doubt(settings):
        structlog.get_logger("gangway.start").warning("proxies_not_trusted", detail=doubt)
    sys.argv = ["gangway"]  # gunicorn would read our own options as its own
    server = Server(create_app, settings, bind)
    server.prepare(_check_before_serving)
    server.run()


def _check_before_serving() -> None:
    _refuse_unfit_tables()
    _offer_setup()


def _refuse_unfit_tables() -> None:
    from app import migrations  # noqa: PLC0415

    if reason := migrations.unfit():
        raise click.ClickException(reason)
    if warning := migrations.warning():
        structlog.get_logger("gangway.start").warning("database_is_newer", detail=warning)


def _offer_setup() -> None:
    """Say in the log how the first operator is made, while there is none."""
    from app import operators  # noqa: PLC0415

    address = operators.offer_setup(db.session())
    if address:
        structlog.get_logger("gangway.operators").warning("no_operator_yet", set_up_once_at=address)


@click.command("worker")
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="How many customers to check at the same time.",
)
@click.option("--metrics", type=PORT, help="Serve metrics for Prometheus on this port, on loopback.")
def worker_command(threads: int, metrics: int | None) -> None:
    """Run the worker alone, beside web processes that have GANGWAY_WORKER_THREADS=0."""
    from prometheus_client import start_http_server  # noqa: PLC0415

    from app.application import make_worker  # noqa: PLC0415

    portal = application()
    _log_start(chosen_sources())
    with portal.app_context(), suppress(OperationalError):  # the database may be away just now
        _refuse_unfit_tables()
    alone = make_worker(portal, threads)
    if metrics is not None:
        numbers = portal.extensions["gangway.metrics"].registry
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


@click.command("simulator")
@click.option("--port", type=PORT, default=12111, show_default=True, help="Where to listen, on loopback.")
@click.option("--data", type=click.Path(path_type=Path, dir_okay=False), help="Save the store in this file.")
def simulator_command(port: int, data: Path | None) -> None:
    """Run the simulated Stripe alone."""
    from app.cli import demo  # noqa: PLC0415

    demo.run_simulator(port=port, data=data)


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup_command(file: Path) -> None:
    """Copy the database to a new FILE while everything keeps running."""
    from app.core.database import backup  # noqa: PLC0415

    with application().app_context():
        size = backup.backup(db.engine(), file)
    click.echo(f"{file} ({size:,} bytes) has everything but the settings; GANGWAY_ENCRYPTION_KEYS opens it.")
