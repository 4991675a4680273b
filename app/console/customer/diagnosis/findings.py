"""What the page says about a customer, and what it suggests."""

from enum import StrEnum

from app.core.values import frozen


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


@frozen
class Finding:
    """One statement about a customer, good or bad."""

    tone: str
    title: str
    text: str
    actions: tuple[SuggestedAction, ...] = ()
    app_id: str | None = None  # the app with the cause
    link_id: str | None = None  # a link that still works: the page offers to renew it
