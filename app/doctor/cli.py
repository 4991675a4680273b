"""`gangway doctor`: the console's examination, with an exit code for monitoring."""

import json
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app import apps
from app.core import db
from app.core.config import SettingsRefused
from app.core.errors import AppError
from app.doctor import actions
from app.doctor.findings import Finding, State, worst

# As Nagios reads them. https://nagios-plugins.org/doc/guidelines.html#AEN78
UNKNOWN = 3
EXIT = {State.GREEN: 0, State.UNKNOWN: UNKNOWN, State.AMBER: 1, State.RED: 2}
NOTHING = "No Stripe app is installed, so nobody can sign up. Run `gangway stripe install`."
COLOURS = {State.GREEN: "green", State.UNKNOWN: "cyan", State.AMBER: "yellow", State.RED: "red"}


class Doctor(click.Command):
    """A command with an exit code for "nothing could be examined"."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (SettingsRefused, AppError, SQLAlchemyError) as error:
            detail = (db.explain(error) if isinstance(error, SQLAlchemyError) else None) or str(error)
            click.echo(detail, err=True)
            ctx.exit(UNKNOWN)


@click.command("doctor", cls=Doctor)
@click.option("--app", "app_id", metavar="ID", help="Only this app.")
@click.option("--repair", is_flag=True, help="Make the possible repairs, then examine again.")
@click.option(
    "--every-customer",
    is_flag=True,
    help="Look for orphans among all of the account's customers, not the newest 1,000.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of prose.")
@with_appcontext
def doctor_command(*, app_id: str | None, repair: bool, every_customer: bool, as_json: bool) -> None:
    """Examine the installed Stripe apps. Exit 0: all green; 1: amber; 2: red; 3: examination not possible."""
    session = db.session()
    chosen = [apps.find(session, app_id.upper())] if app_id else apps.installed(session)
    db.end_read(session)
    found = {app: _examined(session, app, repair=repair, every_customer=every_customer) for app in chosen}
    state = worst(finding for findings in found.values() for finding in findings) if found else State.RED
    if as_json:
        click.echo(json.dumps(_document(found, state), indent=2))
    else:
        click.echo(_prose(found) if found else NOTHING)
    raise SystemExit(EXIT[state])


def _examined(session: Session, app: apps.App, *, repair: bool, every_customer: bool) -> list[Finding]:
    examination = actions.run(session, app, actor="command", every_customer=every_customer)
    session.commit()
    findings = actions.findings_of(examination)
    if not repair or not any(finding.repair for finding in findings):
        return findings
    for finding in findings:
        if finding.repair:
            _repaired(session, app, finding)
    own = apps.by_id(session, app.id)
    examination = actions.run(session, own, actor="command", every_customer=every_customer)
    session.commit()
    return actions.findings_of(examination)


def _repaired(session: Session, app: apps.App, finding: Finding) -> None:
    try:
        repaired = actions.repair(session, apps.by_id(session, app.id), finding.code, actor="command")
    except AppError as error:
        session.rollback()
        click.echo(f"Not repaired: {finding.title}. {error.detail}", err=True)
        return
    if repaired:
        click.echo(f"Repaired: {finding.title}.", err=True)


def _document(found: dict[apps.App, list[Finding]], state: State) -> dict[str, Any]:
    return {
        "state": state,
        "apps": [
            {
                "id": app.id,
                "name": app.name,
                "account": app.stripe_account_id,
                "livemode": app.livemode,
                "state": worst(findings),
                "findings": [finding.facts() for finding in findings],
            }
            for app, findings in found.items()
        ],
    }


def _prose(found: dict[apps.App, list[Finding]]) -> str:
    lines = []
    for app, findings in found.items():
        mode = "live" if app.livemode else "test"
        lines.append(f"{app.name}  {app.stripe_account_id} in {mode} mode  {app.id}")
        for finding in findings:
            state = click.style(f"{finding.state.upper():7}", fg=COLOURS[finding.state])
            lines.append(f"  {state}  {finding.title}: {finding.detail}")
            if finding.repair:
                lines.append(f"           {finding.repair}: `gangway doctor --repair`, or the console")
    return "\n".join(lines)
