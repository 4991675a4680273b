"""Onboarding links on the wire."""

from datetime import datetime, timedelta

from pydantic import Field

from app.api.wire import Instant, Ulid, WireModel
from app.core.db import utcnow
from app.onboarding.handovers.details import Arrival
from app.onboarding.links.models import LinkState
from app.onboarding.links.models import OnboardingLink as LinkRow

MAX_LIFETIME = timedelta(days=366)


class OnboardingLinkCreate(Arrival):
    """A link to make."""

    app_id: Ulid | None = Field(
        default=None, description="The app in which to save; the profile's or the default one if absent."
    )
    expires_in_seconds: int | None = Field(
        default=None,
        ge=60,
        le=int(MAX_LIFETIME.total_seconds()),
        description="How long the link works; as long as the console's links if absent.",
    )

    @property
    def expires_at(self) -> datetime | None:
        """When the link ends; None leaves it to the settings."""
        if self.expires_in_seconds is None:
            return None
        return utcnow() + timedelta(seconds=self.expires_in_seconds)


class OnboardingLink(WireModel):
    """A link without its URL, which is known to the caller that made it alone."""

    id: Ulid
    customer_id: Ulid
    app_id: Ulid | None = None
    profile: str | None = None
    return_url: str | None = Field(default=None, alias="returnURL")
    return_label: str | None = None
    state: LinkState = Field(description="`expired` and `revoked` links no longer work.")
    created_at: Instant
    expires_at: Instant

    @classmethod
    def of(cls, row: LinkRow) -> "OnboardingLink":
        """Describe a link."""
        return cls(**{name: getattr(row, name) for name in OnboardingLink.model_fields})


class OnboardingLinkCreated(OnboardingLink):
    """A link that was made."""

    url: str = Field(
        description="Send it to the customer. We can't show it again.",
        examples=["https://billing.example.com/start/4Jc0…"],
        json_schema_extra={"format": "uri"},
    )
