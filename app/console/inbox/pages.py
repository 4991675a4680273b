"""The inbox: every Stripe event, its outcome, and what an operator can do about it."""

from datetime import datetime, timedelta

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import apps, audit, operators, payers, sync, webhooks
from app.console.common import actors, date_range, event_types, urls, wording
from app.console.inbox import payloads
from app.core import db
from app.core.config import settings
from app.core.errors import Conflict, Invalid
from app.core.values import frozen
from app.operators import OperatorPages, Role

pages = OperatorPages("console_inbox", __name__)

SIZE = 50
ORIGINS = {"webhook": "Delivered by Stripe", "backfill": "Fetched from Stripe"}
SAME_COMMIT = timedelta(seconds=2)  # entries of one commit have times this close to each other


@frozen
class Fetching:
    """The state of fetching missed events for one app."""

    app: apps.App
    run: sync.Backfill | None
    asked_at: datetime | None

    @property
    def is_asked_for(self) -> bool:
        """Did somebody request it, and has it not run since?"""
        ran_at = self.run.last_run_at if self.run else None
        return self.asked_at is not None and (ran_at is None or ran_at < self.asked_at)


@pages.page("/events", role=Role.VIEWER)
def page() -> ResponseReturnValue:
    """The inbox, the newest first."""
    session = db.session()
    dates = date_range.read(request.args)
    installed = apps.installed(session)
    wanted = webhooks.Filter(
        state=urls.choice("state", event_types.STATES),
        type=urls.text("type"),
        app_id=urls.choice("app", [app.id for app in installed]),
        customer_id=urls.text("customer"),
        origin=urls.choice("origin", ORIGINS),
        find=urls.text("find"),
        since=dates.since,
        until=dates.until,
    )
    found = webhooks.list_events(
        session,
        wanted,
        before=urls.timed_position("before"),
        after=urls.timed_position("after"),
        size=SIZE,
    )
    answer = render_template(
        "console/inbox/page.html",
        found=found,
        wanted=wanted,
        dates=dates,
        ranges=date_range.NAMES,
        counts=webhooks.counts(session),
        most=webhooks.MAX_COUNT,
        apps={app.id: app for app in installed},
        fetching=[_fetching(session, app) for app in installed],
        types=event_types.CHOICES,
        words=event_types.label,
        states=event_types.STATES,
        state_options=[(state, words) for state, (words, _) in event_types.STATES.items()],
        app_options=[(app.id, app.name) for app in installed],
        origins=ORIGINS,
        current_url=urls.current_url,
        newer=found.newer and urls.current_url(after=urls.format_position(found.newer)),
        older=found.older and urls.current_url(before=urls.format_position(found.older)),
    )
    return answer, 422 if dates.errors else 200


@pages.page("/events/<app_id>/<event_id>", role=Role.VIEWER)
def event(app_id: str, event_id: str) -> ResponseReturnValue:
    """One event: its payload without personal data, and its outcome."""
    return _event(app_id, event_id)


@pages.action("/events/<app_id>/<event_id>/personal-data", role=Role.OPERATOR)
def show_personal_data(app_id: str, event_id: str) -> ResponseReturnValue:
    """One event with its personal data. The audit log records who viewed it."""
    session = db.session()
    found = webhooks.get(session, app_id, event_id)
    db.start_write(session)
    audit.note(
        session,
        "event.personal_data_shown",
        actor=operators.actor(),
        customer_id=found.customer_id,
        app_id=app_id,
        event_id=event_id,
        event_type=found.event.type,
    )
    session.commit()
    return _event(app_id, event_id, is_open=True)


@pages.action("/events/<app_id>/<event_id>/retry", role=Role.OPERATOR)
def retry(app_id: str, event_id: str) -> ResponseReturnValue:
    """Retry an event."""
    session = db.session()
    try:
        webhooks.retry(session, app_id, event_id, actor=operators.actor())
        session.commit()
        _wake_worker()
        flash("We retry this event now.", "success")
    except Conflict as error:
        session.rollback()
        flash(error.detail, "warning")
    return _back(app_id, event_id)


@pages.action("/events/<app_id>/<event_id>/ignore", role=Role.OPERATOR)
def ignore(app_id: str, event_id: str) -> ResponseReturnValue:
    """Ignore an event."""
    session = db.session()
    reason = request.form.get("reason", "")
    try:
        webhooks.ignore(session, app_id, event_id, reason, actor=operators.actor())
        session.commit()
        flash("Event ignored.", "success")
    except Conflict as error:
        session.rollback()
        flash(error.detail, "warning")
    except Invalid as error:
        session.rollback()
        return _event(app_id, event_id, wrong_reason=error.detail, reason=reason), 422
    return _back(app_id, event_id)


@pages.action("/events/retry-failed", role=Role.OPERATOR)
def retry_failed() -> ResponseReturnValue:
    """Retry every failed event."""
    session = db.session()
    count = webhooks.retry_all_failed(session, actor=operators.actor())
    session.commit()
    _wake_worker()
    if count:
        flash(f"Retrying {count:,} failed {'event' if count == 1 else 'events'}.", "success")
    else:
        flash("There are no failed events left.", "info")
    return redirect(url_for(".page"), 303)


@pages.action("/events/fetch", role=Role.OPERATOR)
def fetch() -> ResponseReturnValue:
    """Fetch the events that Stripe did not deliver."""
    session = db.session()
    app = next((app for app in apps.installed(session) if app.id == request.form.get("app")), None)
    if app is None:
        abort(404)
    db.start_write(session)
    sync.request_backfill(session, app.id)
    audit.note(session, "backfill.asked", actor=operators.actor(), app_id=app.id)
    session.commit()
    _wake_worker()
    flash(f"Fetching missed events for {app.name}. Reload the page in a moment.", "success")
    return redirect(url_for(".page", _anchor="fetching"), 303)


def _event(
    app_id: str, event_id: str, *, is_open: bool = False, wrong_reason: str = "", reason: str = ""
) -> str:
    session = db.session()
    found = webhooks.get(session, app_id, event_id)
    payload, app = found.event.payload, apps.by_id(session, app_id)
    entries = _settled_by(session, found)
    return render_template(
        "console/inbox/event.html",
        event=found.event,
        customer_id=found.customer_id,
        customer_name=found.customer_name,
        app=app,
        stripe_url=apps.dashboard_url(app, "event", event_id),
        payer=session.get(payers.Payer, found.event.payer_id) if found.event.payer_id else None,
        created_at=payloads.created_at(payload),
        payload=payloads.whole(payload) if is_open else payloads.folded(payload),
        is_open=is_open,
        has_personal_data=payloads.folded(payload) != payloads.whole(payload),
        kept_days=settings().keep_payloads_days,
        changes=[(entry, wording.describe(entry)) for entry in entries],
        names=actors.names(session, {entry.actor for entry in entries}),
        words=event_types.label,
        states=event_types.STATES,
        state_meanings=event_types.STATE_MEANINGS,
        origins=ORIGINS,
        may_be_retried=found.event.state in webhooks.RETRYABLE_STATES and payload,
        may_be_ignored=found.event.state in webhooks.IGNORABLE_STATES,
        wrong_reason=wrong_reason,
        reason=reason,
    )


def _settled_by(session: Session, found: webhooks.Received) -> list[audit.Entry]:
    """The changes of the check that an event caused. Its entries belong to the same commit."""
    finished_at = found.event.finished_at
    is_settled = found.event.state == "done" and found.event.reason is None
    if found.customer_id is None or finished_at is None or not is_settled:
        return []
    wanted = audit.Filter(
        customer_id=found.customer_id,
        app_id=found.event.app_id,
        since=finished_at - SAME_COMMIT,
        until=finished_at + SAME_COMMIT,
    )
    entries = audit.page(session, wanted, size=20).rows
    return [entry for entry in reversed(entries) if entry.actor == "stripe"]


def _fetching(session: Session, app: apps.App) -> Fetching:
    asked = audit.page(session, audit.Filter(kind="backfill.asked", app_id=app.id), size=1).rows
    return Fetching(app, session.get(sync.Backfill, app.id), asked[0].at if asked else None)


def _back(app_id: str, event_id: str) -> ResponseReturnValue:
    return redirect(url_for(".event", app_id=app_id, event_id=event_id), 303)


def _wake_worker() -> None:
    current_app.extensions["gangway.worker"].wake()
