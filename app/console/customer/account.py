"""One customer in one Stripe app."""

from dataclasses import dataclass
from datetime import datetime

from app import apps, audit, checkout, doctor, payers
from app.links import OnboardingLink
from app.payers import PaymentStatus

WEBHOOK_FINDINGS = {  # the codes of the doctor's findings about the webhook
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


STRIPE_KINDS = {  # ids of Stripe's that a person may want to see there, by their prefix
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


def keeping_events_away(examination: doctor.Examination) -> list[doctor.Finding]:
    """What an examination found of that by which Stripe's events come."""
    return [
        finding
        for finding in doctor.findings_of(examination)
        if finding.code in WEBHOOK_FINDINGS and finding.state in {doctor.State.AMBER, doctor.State.RED}
    ]


def kind_of(text: str) -> str | None:
    """What a text is the id of at Stripe, if it is one."""
    prefix, _, rest = text.partition("_")
    return STRIPE_KINDS.get(prefix) if rest.replace("_", "").isalnum() else None
