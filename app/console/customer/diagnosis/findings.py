"""What the page says about a customer, and what it suggests."""

from dataclasses import dataclass
from enum import StrEnum


class SuggestedAction(StrEnum):
    """The actions that the page offers with a finding."""

    APPROVE = "approve"
    DECLINE = "decline"
    LINK = "link"
    RESTORE = "restore"
    ATTACH = "attach"
    INSTALL = "install"
    KEY = "key"
    EXAMINE = "examine"
    EVENTS = "events"


@dataclass(frozen=True)
class Finding:
    """One statement about a customer, good or bad."""

    tone: str
    title: str
    text: str
    actions: tuple[SuggestedAction, ...] = ()
    app_id: str | None = None  # the app with the cause
    link_id: str | None = None  # a link that still works: the page offers to renew it
