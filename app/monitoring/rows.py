"""Numbers that the database knows: read when they are asked for, and the same from every process."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.orm import Session

from app import apps, doctor, outbox, sync, webhooks
from app.core.config import settings
from app.core.db import utcnow
from app.payers import Payer

MAX_COUNT = 10_000  # beyond that a number only has to be large


class Rows(Collector):
    """One look into the database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def collect(self) -> Iterator[Metric]:
        """Everything; one number alone when the database does not answer."""
        up = GaugeMetricFamily("gangway_database_up", "Does the database answer?")
        try:
            found = [*self._events(), *self._customers(), *self._workers(), *self._messages(), *self._apps()]
            up.add_metric([], 1)
            yield from found
        except sa.exc.SQLAlchemyError:
            self._session.rollback()
            up.add_metric([], 0)
        yield up

    def _events(self) -> Iterator[Metric]:
        now = utcnow()
        count = GaugeMetricFamily(
            "gangway_events", f"Unfinished events, counted to {MAX_COUNT + 1}.", labels=["state"]
        )
        age = GaugeMetricFamily(
            "gangway_oldest_event_age_seconds", "Age of the oldest unfinished event.", labels=["state"]
        )
        oldest = webhooks.oldest(self._session)
        for state, number in webhooks.counts(self._session).items():
            count.add_metric([state], number)
            age.add_metric([state], _seconds(now, oldest.get(state)))
        yield count
        yield age
        late = now - timedelta(minutes=settings().backlog_minutes)
        yield _gauge(
            "gangway_backlog_events",
            "Events that have waited longer than GANGWAY_BACKLOG_MINUTES and need not.",
            sync.overdue(self._session, late, most=MAX_COUNT + 1),
        )

    def _customers(self) -> Iterator[Metric]:
        now = utcnow()
        due = Payer.due_at <= now
        yield _gauge(
            "gangway_customers_due",
            f"Customers who are to be compared with Stripe now, counted to {MAX_COUNT + 1}.",
            self._count(sa.select(Payer.id).where(due)),
        )
        longest = self._session.scalar(sa.select(sa.func.min(Payer.due_at)).where(due))
        yield _gauge(
            "gangway_oldest_due_age_seconds",
            "For how long the first of them has been due.",
            _seconds(now, longest),
        )
        yield _gauge(
            "gangway_customers_drifted",
            f"Customers with a change that no event has reported yet, counted to {MAX_COUNT + 1}.",
            self._count(sa.select(Payer.id).where(Payer.drift.is_not(None), Payer.deleted_at.is_(None))),
        )

    def _workers(self) -> Iterator[Metric]:
        yield _gauge(
            "gangway_workers", "Running worker threads on all machines.", sync.worker_threads(self._session)
        )

    def _messages(self) -> Iterator[Metric]:
        yield _gauge(
            "gangway_oldest_message_age_seconds",
            "For how long the oldest email has waited to be sent.",
            _seconds(utcnow(), outbox.oldest_waiting(self._session)),
        )

    def _apps(self) -> Iterator[Metric]:
        now = utcnow()
        ready = GaugeMetricFamily(
            "gangway_app_ready", "Does Stripe accept the API key?", labels=["app", "mode"]
        )
        age = GaugeMetricFamily(
            "gangway_backfill_age_seconds",
            "Since the event list was read to its end; if it never was, since the app was installed.",
            labels=["app"],
        )
        failing = GaugeMetricFamily(
            "gangway_backfill_failing", "Did the last run over the event list fail?", labels=["app"]
        )
        fetched = CounterMetricFamily(
            "gangway_backfilled_events", "Events that no webhook delivered.", labels=["app"]
        )
        drifts = CounterMetricFamily(
            "gangway_drifts", "Changes that a scheduled check found before any event.", labels=["app"]
        )
        findings = GaugeMetricFamily(
            "gangway_app_finding",
            "Problems that the last examination found, by code and state.",
            labels=["app", "code", "state"],
        )
        examined = GaugeMetricFamily(
            "gangway_app_examination_age_seconds",
            "Since the app was last examined; if it never was, since it was installed.",
            labels=["app"],
        )
        installed = apps.installed(self._session)
        yield _gauge("gangway_apps_installed", "Installed Stripe apps.", len(installed))
        for app in installed:
            examination = doctor.latest(self._session, app.id)
            examined.add_metric([app.id], _seconds(now, examination.at if examination else app.created_at))
            for found in doctor.findings_of(examination) if examination else ():
                if found.state in {doctor.State.AMBER, doctor.State.RED}:
                    findings.add_metric([app.id, found.code, found.state.value], 1)
            ready.add_metric([app.id, "live" if app.livemode else "test"], float(app.status == "ready"))
            run = self._session.get(sync.Backfill, app.id)
            age.add_metric([app.id], _seconds(now, (run and run.last_run_at) or app.created_at))
            if run is not None:
                failing.add_metric([app.id], float(run.last_error is not None))
                fetched.add_metric([app.id], run.found)
            budget = self._session.get(sync.RateBudget, app.id)
            drifts.add_metric([app.id], budget.drifts if budget else 0)
        yield from (ready, age, failing, fetched, drifts, findings, examined)

    def _count(self, query: sa.Select[str]) -> int:
        limited = query.limit(MAX_COUNT + 1).subquery()
        return self._session.scalar(sa.select(sa.func.count()).select_from(limited)) or 0


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


def _seconds(now: datetime, since: datetime | None) -> float:
    return max(0.0, (now - since).total_seconds()) if since is not None else 0.0
