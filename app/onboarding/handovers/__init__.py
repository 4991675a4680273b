"""Signed hand-overs: the company's own app sends its user here, with details that a browser can't change."""

from app.onboarding.handovers.actions import claim, used_by
from app.onboarding.handovers.details import FORM_NAMES, HandoverDetails
from app.onboarding.handovers.models import MAX_LIVE_SECRETS, HandoverSecret, HandoverUse
from app.onboarding.handovers.signing_secrets import (
    MAX_NAME_LENGTH,
    create_secret,
    list_secrets,
    oldest_live,
    revoke_secret,
)
from app.onboarding.handovers.tokens import (
    EXPIRED,
    FORM_LIFETIME,
    UNFIT,
    USED,
    WRONG,
    Handover,
    HandoverRefused,
    issue,
    read,
)

__all__ = [
    "EXPIRED",
    "FORM_LIFETIME",
    "FORM_NAMES",
    "MAX_LIVE_SECRETS",
    "MAX_NAME_LENGTH",
    "UNFIT",
    "USED",
    "WRONG",
    "Handover",
    "HandoverDetails",
    "HandoverRefused",
    "HandoverSecret",
    "HandoverUse",
    "claim",
    "create_secret",
    "issue",
    "list_secrets",
    "oldest_live",
    "read",
    "revoke_secret",
    "used_by",
]
