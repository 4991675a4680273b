"""All that is known of one customer, read for its page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from app import apps, audit, checkout, customers, doctor, links, payers, webhooks
from app.console.common import actors
from app.core.db import utcnow
from app.links import OnboardingLink
from app.payers import PaymentStatus

MOST_ENTRIES = 25  # the audit log page has the rest
MOST_PAGES = 10
MOST_EVENTS = 10
TURNING_POINTS = (  # however long ago they were, the diagnosis asks for them
    "checkout.refused",
    "customer.deleted",
    "default_method.changed",
    "default_method.unanswered",
    "payment_method.detach_unanswered",
    "payment_method.detached",
    "payment_method.removed",
    "stripe_customer.deleted",
    "sync.drift",
    "sync.untold",
)
WAYS_OF_EVENTS = {  # the codes of the doctor's findings about the webhook
    "clock",
    "deliveries",
    "enabled",
    "endpoint",
    "events",
    "key",
    "public_url",
    "secrets",
    "url",
}
KINDS = {  # ids of Stripe's that a person may want to see there, by their prefix
    "acct": "account",
    "cs": "checkout_session",
    "cus": "customer",
    "evt": "event",
    "pm": "payment_method",
    "seti": "setup_intent",
    "we": "webhook_endpoint",
}


@dataclass(frozen=True, kw_only=True)
class Account:
    """The customer in one Stripe app: as we know it there, and how the app itself fares."""

    app: apps.App
    payer: payers.Payer | None
    pages: list[checkout.CheckoutSession]  # the newest first
    status: PaymentStatus
    turning_points: list[audit.Entry]  # the newest first
    rejected_since: datetime | None  # since when Stripe rejects the app's key
    examination: doctor.Examination | None
    last_delivery: datetime | None  # when the app's webhook brought an event
    links: list[OnboardingLink]  # that lead there, the newest first
    names: dict[str, str]  # of actors
    now: datetime

    @property
    def working_link(self) -> OnboardingLink | None:
        """The newest link that still leads somewhere."""
        return next((link for link in self.links if link.works), None)

    @property
    def attempt(self) -> checkout.CheckoutSession | None:
        """The page that was opened last."""
        return self.pages[0] if self.pages else None

    @property
    def method(self) -> payers.PaymentMethod | None:
        """What is charged."""
        return self.payer.default_method if self.payer else None

    @property
    def others(self) -> list[payers.PaymentMethod]:
        """What is attached besides, the newest first."""
        rows = reversed(self.payer.methods) if self.payer else []
        return [row for row in rows if row.detached_at is None and row is not self.method]

    @property
    def removed(self) -> list[payers.PaymentMethod]:
        """What is attached no more, the last one first."""
        rows = self.payer.methods if self.payer else []
        gone = [(row.detached_at, row) for row in rows if row.detached_at is not None]
        return [row for _, row in sorted(gone, key=lambda pair: pair[0], reverse=True)]

    @property
    def open_pages(self) -> list[checkout.CheckoutSession]:
        """The pages of Stripe's on which the customer could go on."""
        return [page for page in self.pages if page.status == "open" and page.expires_at > self.now]

    @property
    def next_look(self) -> datetime | None:
        """When Stripe is asked next without anybody's doing."""
        times = (self.payer.due_at, self.payer.verify_at) if self.payer else ()
        return min((time for time in times if time is not None), default=None)

    @property
    def is_stale(self) -> bool:
        """Is our record old, so that Stripe is asked again because of this very look?"""
        return self.payer is not None and payers.is_stale(self.payer, self.now)

    @property
    def differences(self) -> list[payers.Difference]:
        """What Stripe has otherwise than we."""
        return payers.differences(self.payer) if self.payer else []

    @property
    def adoptable(self) -> dict[str, str]:
        """What the button sends along: the app, and what stands there of Stripe's."""
        seen = {each.part: each.theirs for each in self.differences if each.is_adoptable}
        return {"app_id": self.app.id} | seen

    @property
    def troubles(self) -> list[doctor.Finding]:
        """What keeps events away, by the last examination; a later delivery makes that obsolete."""
        if self.examination is None:
            return []
        is_obsolete = self.last_delivery is not None and self.last_delivery > self.examination.at
        return [] if is_obsolete else keeping_events_away(self.examination)

    def last(self, kind: str, **facts: str | None) -> audit.Entry | None:
        """The last turning point of a kind with these facts, in this app or in none."""
        return next(
            (
                entry
                for entry in self.turning_points
                if entry.kind == kind and all(entry.facts.get(name) == value for name, value in facts.items())
            ),
            None,
        )

    def url(self, id_: str) -> str | None:
        """Where an id of Stripe's can be seen in its Dashboard."""
        kind = kind_of(id_)
        return apps.dashboard_url(self.app, kind, id_) if kind else None


@dataclass(frozen=True, kw_only=True)
class View:
    """The page of one customer."""

    customer: customers.Customer
    installed: list[apps.App]
    accounts: list[Account]  # the default app's first
    links: list[OnboardingLink]  # the newest first
    events: list[webhooks.Event]  # the newest first, without payloads
    entries: list[audit.Entry]  # the newest first
    has_more: bool  # are there older entries?
    names: dict[str, str]  # of actors
    deletion: audit.Entry | None
    now: datetime

    @property
    def main(self) -> Account | None:
        """The customer in the default app, or in the only one."""
        return self.accounts[0] if self.accounts else None

    @property
    def working_link(self) -> OnboardingLink | None:
        """The newest link that still leads somewhere, in whichever app."""
        return next((link for link in self.links if link.works), None)

    def place_of(self, link: OnboardingLink) -> str | None:
        """Where a link leads, when that does not go without saying."""
        if link.app_id is not None and link.app_id not in {app.id for app in self.installed}:
            return "of an app that is uninstalled"
        name = next((account.app.name for account in self.accounts if link in account.links), None)
        return f"in {name}" if name and len(self.accounts) > 1 else None


def read(session: Session, customer: customers.Customer) -> View:
    """Read the page of a customer: a dozen short reads, however much has happened. Stripe is not asked."""
    installed = apps.installed(session)
    entries = _entries(session, customer.id)
    points = _turning_points(session, customer.id)
    given = links.of_customer(session, customer.id)
    mentioned = [entry.actor for entry in (*entries, *points)] + [link.created_by for link in given]
    names = actors.names(session, mentioned)
    known = _ended(session, customer) if customer.deleted_at else payers.all_of_customer(session, customer.id)
    places = _places(installed, known, {link.app_id for link in given})
    events = webhooks.page(session, webhooks.Filter(customer_id=customer.id), size=MOST_EVENTS)
    return View(
        customer=customer,
        installed=installed,
        accounts=[
            _account(session, app, payer, points, names=names, given=_leading_to(app, given))
            for app, payer in places
        ],
        links=given,
        events=[received.event for received in events.rows],
        entries=entries[:MOST_ENTRIES],
        has_more=len(entries) > MOST_ENTRIES,
        names=names,
        deletion=next((point for point in points if point.kind == "customer.deleted"), None),
        now=utcnow(),
    )


def keeping_events_away(examination: doctor.Examination) -> list[doctor.Finding]:
    """What an examination found of that by which Stripe's events come."""
    return [
        finding
        for finding in doctor.findings_of(examination)
        if finding.code in WAYS_OF_EVENTS and finding.state in {doctor.State.AMBER, doctor.State.RED}
    ]


def kind_of(text: str) -> str | None:
    """What a text is the id of at Stripe, if it is one."""
    prefix, _, rest = text.partition("_")
    return KINDS.get(prefix) if rest.replace("_", "").isalnum() else None


def _ended(session: Session, customer: customers.Customer) -> list[payers.Payer]:
    """The payers that ended with a deleted customer: what restoring it would bring back."""
    payer = payers.Payer
    query = sa.select(payer).where(payer.customer_id == customer.id, payer.deleted_at >= customer.deleted_at)
    return list(session.scalars(query.options(joinedload(payer.app)).order_by(payer.id)))


def _places(
    installed: Sequence[apps.App], found: Sequence[payers.Payer], linked: set[str | None]
) -> list[tuple[apps.App, payers.Payer | None]]:
    """The apps to show: those that know the customer, those a link leads to, and always the default one."""
    places: list[tuple[apps.App, payers.Payer | None]] = [(payer.app, payer) for payer in found]
    known = {app.id for app, _ in places}
    others = [app for app in installed if app.id not in known and (app.is_default or app.id in linked)]
    return sorted([*places, *((app, None) for app in others)], key=lambda place: not place[0].is_default)


def _leading_to(app: apps.App, given: Sequence[OnboardingLink]) -> list[OnboardingLink]:
    return [link for link in given if link.app_id == app.id or (link.app_id is None and app.is_default)]


def _account(
    session: Session,
    app: apps.App,
    payer: payers.Payer | None,
    points: list[audit.Entry],
    *,
    names: dict[str, str],
    given: list[OnboardingLink],
) -> Account:
    now = utcnow()
    pages = _pages(session, payer) if payer else []
    return Account(
        app=app,
        payer=payer,
        pages=pages,
        status=payers.payment_status(payer, pages[0] if pages else None, now),
        turning_points=[entry for entry in points if entry.app_id in {None, app.id}],
        rejected_since=_rejected_since(session, app) if app.status == "unauthorized" else None,
        examination=session.get(doctor.Examination, app.id),
        last_delivery=_last_delivery(session, app.id),
        links=given,
        names=names,
        now=now,
    )


def _last_delivery(session: Session, app_id: str) -> datetime | None:
    event = webhooks.Event
    brought = sa.select(event.received_at).where(event.app_id == app_id, event.origin == "webhook")
    return session.scalar(brought.order_by(event.received_at.desc()).limit(1))


def _pages(session: Session, payer: payers.Payer) -> list[checkout.CheckoutSession]:
    opened = checkout.CheckoutSession
    query = sa.select(opened).where(opened.payer_id == payer.id)
    return list(session.scalars(query.order_by(opened.created_at.desc(), opened.id).limit(MOST_PAGES)))


def _rejected_since(session: Session, app: apps.App) -> datetime | None:
    entry = audit.Entry
    query = sa.select(entry.at).where(entry.app_id == app.id, entry.kind == "app.unauthorized")
    return session.scalar(query.order_by(entry.id.desc()).limit(1))


def _entries(session: Session, customer_id: str) -> list[audit.Entry]:
    """The newest entries, and one more if there are more. Ids of one millisecond are in no order."""
    found = audit.page(session, audit.Filter(customer_id=customer_id), size=MOST_ENTRIES + 1).rows
    return sorted(found, key=lambda entry: (entry.at, entry.id), reverse=True)


def _turning_points(session: Session, customer_id: str) -> list[audit.Entry]:
    entry = audit.Entry
    query = sa.select(entry).where(entry.customer_id == customer_id, entry.kind.in_(TURNING_POINTS))
    found = session.scalars(query.order_by(entry.id.desc()).limit(100))
    return sorted(found, key=lambda point: (point.at, point.id), reverse=True)
