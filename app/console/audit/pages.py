"""The audit log in the console: everything that happened, and who did it."""

import sqlalchemy as sa
from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import apps, audit, customers, operators
from app.console.common import actors, date_range, urls, wording
from app.console.customer.account import kind_of
from app.core import db
from app.core.values import frozen
from app.operators import OperatorPages, Role

pages = OperatorPages("console_audit", __name__)

SIZE = 50
KINDS = [(kind, told.otherwise or told.title) for kind, told in wording.KINDS.items()]


@frozen
class Line:
    """One entry, with names instead of ids."""

    entry: audit.Entry
    said: wording.Description
    who: str
    customer: str | None
    app: apps.App | None

    @property
    def event_id(self) -> str | None:
        """The event (evt_…) behind the entry."""
        return self.entry.facts.get("event_id")


@pages.page("/audit", role=Role.VIEWER)
def page() -> ResponseReturnValue:
    """All entries, the newest first."""
    session = db.session()
    dates = date_range.read(request.args)
    installed = {app.id: app for app in apps.installed(session)}
    wanted = audit.Filter(
        kind=urls.choice("kind", wording.KINDS),
        actor=urls.text("actor"),
        customer_id=urls.text("customer"),
        app_id=urls.choice("app", installed),
        since=dates.since,
        until=dates.until,
    )
    before, after = urls.id_position("before"), urls.id_position("after")
    found = audit.page(session, wanted, before=before, after=after, size=SIZE)
    answer = render_template(
        "console/audit/page.html",
        lines=_lines(session, found.rows, installed),
        wanted=wanted,
        dates=dates,
        ranges=date_range.NAMES,
        apps=installed,
        app_options=[(app.id, app.name) for app in installed.values()],
        actors=_everybody(session),
        kinds=KINDS,
        kind_of=kind_of,
        is_inside=before is not None or after is not None,
        current_url=urls.current_url,
        newer=found.newer and urls.current_url(after=urls.format_position(found.newer)),
        older=found.older and urls.current_url(before=urls.format_position(found.older)),
    )
    return answer, 422 if dates.errors else 200


def _lines(session: Session, entries: list[audit.Entry], installed: dict[str, apps.App]) -> list[Line]:
    names = actors.names(session, (entry.actor for entry in entries))
    ids = {entry.customer_id for entry in entries if entry.customer_id}
    called = dict(
        session.execute(
            sa.select(customers.Customer.id, customers.Customer.name).where(customers.Customer.id.in_(ids))
        ).all()
    )
    return [
        Line(
            entry,
            wording.describe(entry),
            names[entry.actor],
            called.get(entry.customer_id or ""),
            installed.get(entry.app_id or ""),
        )
        for entry in entries
    ]


def _everybody(session: Session) -> list[tuple[str, str]]:
    """All actors, for the filter."""
    people, tokens = operators.Operator, operators.ApiToken
    known = [
        *(f"operator:{id_}" for id_ in session.scalars(sa.select(people.id).order_by(people.email_folded))),
        *(f"token:{id_}" for id_ in session.scalars(sa.select(tokens.id).order_by(tokens.name))),
    ]
    called = actors.names(session, known)
    return [*actors.PLAIN.items(), *((actor, called[actor]) for actor in known)]
