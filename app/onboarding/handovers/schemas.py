"""Hand-overs on the wire."""

from datetime import timedelta

from pydantic import Field

from app.api.wire import Instant, WireModel
from app.onboarding.handovers.details import HandoverDetails
from app.onboarding.handovers.tokens import MAX_LIFETIME


class HandoverCreate(HandoverDetails):
    """A hand-over to make."""

    expires_in_seconds: int = Field(
        default=3600,
        ge=60,
        le=int(MAX_LIFETIME.total_seconds()),
        description="How long the URL works.",
    )

    @property
    def lifetime(self) -> timedelta:
        """How long the URL works."""
        return timedelta(seconds=self.expires_in_seconds)


class HandoverCreated(WireModel):
    """A hand-over that was made."""

    url: str = Field(
        description="Send the customer's browser there. Keep it secret: it can sign up with these details.",
        examples=["https://billing.example.com/signup?handover=eyJhbGciOi…"],
        json_schema_extra={"format": "uri"},
    )
    expires_at: Instant
