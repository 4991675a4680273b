"""What the page says about a customer, and what it suggests."""

from dataclasses import dataclass
from enum import StrEnum


class SuggestedAction(StrEnum):
    """What the page offers beside a sentence."""

    LINK = "link"
    RESTORE = "restore"
    ATTACH = "attach"
    INSTALL = "install"
    KEY = "key"
    EXAMINE = "examine"
    EVENTS = "events"


@dataclass(frozen=True)
class Finding:
    """One thing that is the matter, or that is well."""

    tone: str
    title: str
    text: str
    actions: tuple[SuggestedAction, ...] = ()
    app_id: str | None = None  # where the cause is, if it is one Stripe app's
    link_id: str | None = None  # of the link that works: it is renewed before another is made
