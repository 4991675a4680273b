"""The timeline of one customer: what happened, and what is pending."""

from datetime import datetime, timedelta
from typing import TypeGuard

from app import audit
from app.console.common import wording
from app.console.customer.account import Account, kind_of
from app.console.customer.view import View
from app.core import db
from app.core.values import frozen
from app.payers import status_info

WORKER_DELAY = timedelta(minutes=2)  # a worker's task is overdue after that
USUAL_STAY = timedelta(minutes=30)  # few customers finish Stripe's page after that


@frozen
class Line:
    """What happened, when, and who did it. Ids are apart from other facts."""

    at: datetime
    title: str
    tone: str
    who: str
    facts: list[tuple[str, str | datetime]]
    ids: list[tuple[str, str]]
    account: Account | None  # the app that the ids belong to


@frozen
class PendingStep:
    """Something that has not happened yet; overdue when it should have."""

    title: str
    since: datetime | None
    is_overdue: bool
    detail: str = ""


def lines(view: View) -> list[Line]:
    """What happened, the newest first."""
    return [_line(entry, view) for entry in view.entries]


def pending(view: View) -> list[PendingStep]:
    """What is pending, the overdue first."""
    found: list[PendingStep] = []
    if view.customer.deleted_at is not None:
        return found
    for account in view.accounts:
        found += _at_stripe(account)
        found += _here(account, view)
    link = view.working_link
    if link is not None and link.used_at is None:
        seen = "was opened but not used" if link.opened_at else "has not been opened"
        found.append(
            PendingStep(f"The onboarding link {seen}", link.opened_at or link.created_at, is_overdue=False)
        )
    return sorted(found, key=lambda item: not item.is_overdue)


def _line(entry: audit.Entry, view: View) -> Line:
    told = wording.describe(entry)
    return Line(
        at=entry.at,
        title=told.title,
        tone=told.tone,
        who=view.names[entry.actor],
        facts=[pair for pair in told.details if not _is_id(pair[1])],
        ids=[(label, value) for label, value in told.details if _is_id(value)],
        account=next((account for account in view.accounts if account.app.id == entry.app_id), None),
    )


def _is_id(value: str | datetime) -> TypeGuard[str]:
    return isinstance(value, str) and (kind_of(value) is not None or db.is_id(value))


def _at_stripe(account: Account) -> list[PendingStep]:
    """What the customer or the bank has not done yet."""
    found = [
        PendingStep(
            "Checkout session is open",
            opened.created_at,
            is_overdue=account.now - opened.created_at > USUAL_STAY,
        )
        for opened in account.open_sessions
        if account.method is None or opened is account.attempt
    ]
    if status_info(account.status).waits_for_bank:
        since = account.attempt.created_at if account.attempt else None
        found.append(PendingStep("Waiting for the bank", since, is_overdue=False))
    return found


def _here(account: Account, view: View) -> list[PendingStep]:
    """What Stripe or a worker has not done yet."""
    payer, now = account.payer, account.now
    if payer is None or payer.stripe_deleted_at is not None:
        return []
    found = []
    if payer.drift:
        told = "Found by our own check; Stripe has sent no event yet"
        found.append(
            PendingStep(told, payer.verified_at, is_overdue=False, detail=wording.describe_kinds(payer.drift))
        )
    stuck = [
        event
        for event in view.events
        if event.app_id == account.app.id
        and event.finished_at is None
        and now - event.received_at > WORKER_DELAY
    ]
    if stuck:
        many = f"{len(stuck)} events are" if len(stuck) > 1 else "One event is"
        oldest = min(event.received_at for event in stuck)
        found.append(
            PendingStep(f"{many} not processed yet", oldest, is_overdue=True, detail=payer.last_error or "")
        )
    if payer.due_at is not None and now - payer.due_at > WORKER_DELAY:
        waits = "No worker has picked it up. Is one running?"
        found.append(
            PendingStep("A check with Stripe is overdue", payer.due_at, is_overdue=True, detail=waits)
        )
    return found
