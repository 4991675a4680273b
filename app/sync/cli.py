"""`gangway backfill`: find the events that no webhook delivered."""

from datetime import UTC, datetime

import click
from flask.cli import with_appcontext

from app import apps
from app.core import db
from app.core.errors import AppError
from app.sync.backfill import backfill


class Moment(click.ParamType[datetime]):
    """A date or a time in ISO 8601, in UTC unless it names a zone."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Parse it."""
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(
                f"{value!r} is not a time in ISO 8601, such as 2026-11-01 or 2026-11-01T12:00Z.", param, ctx
            )
        try:
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except OverflowError:  # the first or the last day of the calendar, in another zone
            self.fail(f"{value!r} lies outside the calendar in UTC.", param, ctx)


@click.command("backfill")
@click.option("--since", type=Moment(), help="Read back to this time instead of the last run.")
@click.option("--dry-run", is_flag=True, help="Only count.")
@with_appcontext
def command(*, since: datetime | None, dry_run: bool) -> None:
    """Fetch events that no webhook delivered from Stripe's list, as the worker does.

    Exit 1 when a list could not be read to its end. The other lists are read.
    """
    session = db.session()
    verb, is_complete = "would be stored" if dry_run else "stored", True
    app_ids = [app.id for app in apps.installed(session)]
    if not app_ids:
        click.echo("No Stripe app is installed: run `gangway stripe install`.")
    for app_id in app_ids:
        app = apps.by_id(session, app_id)  # read again: a failure of the last app rolled back
        try:
            seen = backfill(session, app, since=since, dry_run=dry_run)
        except AppError as error:
            click.echo(f"{app.name} ({app.id}): {error.detail}", err=True)
            is_complete = False
        else:
            click.echo(f"{app.name} ({app.id}): {seen.listed} events listed, {seen.found} new ones {verb}.")
    if not is_complete:
        raise SystemExit(1)
