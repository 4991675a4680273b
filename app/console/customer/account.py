"""One customer in one Stripe app."""

from datetime import datetime

from app import apps, audit, checkout, doctor, payers
from app.core.values import frozen
from app.onboarding.links import OnboardingLink
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


STRIPE_KINDS = {  # Stripe objects that the Dashboard shows, by the prefix of their ids
    "acct": "account",
    "cs": "checkout_session",
    "cus": "customer",
    "evt": "event",
    "pm": "payment_method",
    "seti": "setup_intent",
    "we": "webhook_endpoint",
}


@frozen(kw_only=True)
class Account:
    """The customer in one Stripe app, and the state of the app."""

    app: apps.App
    payer: payers.Payer | None
    checkout_sessions: list[checkout.CheckoutSession]  # the newest first
    status: PaymentStatus
    turning_points: list[audit.Entry]  # the newest first
    rejected_since: datetime | None  # since when Stripe rejects the app's key
    examination: doctor.Examination | None
    last_delivery: datetime | None  # when the app's webhook brought an event
    links: list[OnboardingLink]  # into this app, the newest first
    names: dict[str, str]  # of actors
    now: datetime

    @property
    def working_link(self) -> OnboardingLink | None:
        """The newest link that still works."""
        return next((link for link in self.links if link.works), None)

    @property
    def attempt(self) -> checkout.CheckoutSession | None:
        """The newest checkout session."""
        return self.checkout_sessions[0] if self.checkout_sessions else None

    @property
    def method(self) -> payers.PaymentMethod | None:
        """The default payment method."""
        return self.payer.default_method if self.payer else None

    @property
    def others(self) -> list[payers.PaymentMethod]:
        """The other attached methods, the newest first."""
        rows = reversed(self.payer.attached_methods) if self.payer else []
        return [row for row in rows if row is not self.method]

    @property
    def removed(self) -> list[payers.PaymentMethod]:
        """The removed methods, the last one first."""
        rows = self.payer.methods if self.payer else []
        gone = [(row.detached_at, row) for row in rows if row.detached_at is not None]
        return [row for _, row in sorted(gone, key=lambda pair: pair[0], reverse=True)]

    @property
    def open_sessions(self) -> list[checkout.CheckoutSession]:
        """The checkout sessions that the customer can still finish."""
        return [
            opened
            for opened in self.checkout_sessions
            if opened.status == "open" and opened.expires_at > self.now
        ]

    @property
    def next_look(self) -> datetime | None:
        """When a worker checks with Stripe next."""
        times = (self.payer.due_at, self.payer.verify_at) if self.payer else ()
        return min((time for time in times if time is not None), default=None)

    @property
    def is_stale(self) -> bool:
        """Is our record so old that viewing it starts a check?"""
        return self.payer is not None and payers.is_stale(self.payer, self.now)

    @property
    def is_blocked(self) -> bool:
        """Were so many attempts declined that nothing opens Stripe's page for now?"""
        return self.payer is not None and checkout.is_blocked(self.payer)

    @property
    def differences(self) -> list[payers.Difference]:
        """The details that differ at Stripe."""
        return payers.differences(self.payer) if self.payer else []

    @property
    def adoptable(self) -> dict[str, str]:
        """The hidden fields of the button: the app, and Stripe's details as shown."""
        seen = {each.part: each.theirs for each in self.differences if each.is_adoptable}
        return {"app_id": self.app.id} | seen

    @property
    def troubles(self) -> list[doctor.Finding]:
        """The webhook findings of the last examination. A later delivery makes them obsolete."""
        if self.examination is None:
            return []
        is_obsolete = self.last_delivery is not None and self.last_delivery > self.examination.at
        return [] if is_obsolete else webhook_findings(self.examination)

    def last(self, kind: str, **facts: str | None) -> audit.Entry | None:
        """The last turning point of a kind with these facts, in this app or without an app."""
        return next(
            (
                entry
                for entry in self.turning_points
                if entry.kind == kind and all(entry.facts.get(name) == value for name, value in facts.items())
            ),
            None,
        )

    def url(self, id_: str) -> str | None:
        """The Dashboard page of a Stripe id."""
        kind = kind_of(id_)
        return apps.dashboard_url(self.app, kind, id_) if kind else None


def webhook_findings(examination: doctor.Examination) -> list[doctor.Finding]:
    """The findings of an examination that keep events away."""
    return [
        finding
        for finding in doctor.findings_of(examination)
        if finding.code in WEBHOOK_FINDINGS and finding.state in {doctor.State.AMBER, doctor.State.RED}
    ]


def kind_of(text: str) -> str | None:
    """The kind of Stripe object that an id names; None for other texts."""
    prefix, _, rest = text.partition("_")
    return STRIPE_KINDS.get(prefix) if rest.replace("_", "").isalnum() else None
