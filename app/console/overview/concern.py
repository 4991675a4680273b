"""What the overview lists: a concern with its newest items."""

from dataclasses import field
from datetime import datetime

from app.core.values import frozen
from app.onboarding import links

MAX_COUNTED = 10_000  # "more than" says enough beyond that


@frozen
class Item:
    """One of the newest: a customer, an event or an app, with the time and a short note."""

    title: str
    since: datetime | None
    note: str = ""
    customer_id: str | None = None
    event: tuple[str, str] | None = None  # app and id
    app_id: str | None = None
    app_name: str | None = None  # of the customer's app, when several are installed
    link: links.OnboardingLink | None = None  # the customer's newest link


@frozen
class Concern:
    """All items of one kind. The page picks its action by `code`."""

    code: str
    title: str
    advice: str
    tone: str
    count: int
    items: list[Item] = field(default_factory=list)
