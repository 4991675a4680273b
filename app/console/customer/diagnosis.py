"""What is the matter with one customer, in a sentence or two, and what to do about it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from app import audit, checkout, doctor, links, webhooks
from app.console.common import wording
from app.console.customer import default_method
from app.console.customer.view import Account, View
from app.core.config import settings
from app.payers import PaymentStatus
from app.web.times import ago

AT_ONCE = timedelta(minutes=1)
LATELY = timedelta(days=7)  # what was mended longer ago is told by the story alone
TONES = ("error", "warning", "info", "success")  # the most urgent first
MICRODEPOSITS = "verify_with_microdeposits"


class Do(StrEnum):
    """What the page offers beside a sentence."""

    LINK = "link"
    RESTORE = "restore"
    ATTACH = "attach"
    INSTALL = "install"
    KEY = "key"
    EXAMINE = "examine"
    EVENTS = "events"


@dataclass(frozen=True)
class Said:
    """One thing that is the matter, or that is well."""

    tone: str
    title: str
    text: str
    do: tuple[Do, ...] = ()
    app_id: str | None = None  # where the cause is, if it is one Stripe app's
    link_id: str | None = None  # of the link that works: it is renewed before another is made


@dataclass(frozen=True)
class Diagnosis:
    """The first thing to know, and what else should be known."""

    first: Said
    besides: list[Said]


def of(view: View) -> Diagnosis:
    """Say what is the matter with a customer, in each Stripe app that it has something in."""
    found = [*_overall(view)]
    if view.customer.deleted_at is None:
        statuses = [_in_app(said, account, view) for account in view.accounts for said in _by_status(account)]
        # A stable order: what is worst comes first, and of those alike the default app's.
        found += sorted(statuses, key=lambda said: TONES.index(said.tone))
        for account in view.accounts:
            found += [_in_app(said, account, view) for said in _doubts(account, view)]
    return Diagnosis(found[0], found[1:])


def _in_app(said: Said, account: Account, view: View) -> Said:
    """The same, with the app that it is about where there are several, and the link that leads there."""
    if len(view.accounts) > 1:
        said = replace(said, title=f"{said.title} in {account.app.name}")
    link = account.working_link
    if link is not None and Do.LINK in said.do:
        said = _with_link(said, link)
    return replace(said, app_id=account.app.id)


def _with_link(said: Said, link: links.OnboardingLink) -> Said:
    """Say that a link is on its way already, before another is made."""
    went = "nobody has opened it yet"
    if link.used_at is not None:
        went = f"it was used last {ago(link.last_used_at or link.used_at)}"
    elif link.opened_at is not None:
        went = f"it was opened {ago(link.opened_at)}, and its button not pressed"
    text = f"{said.text} One was made {ago(link.created_at)} and works: {went}."
    return replace(said, text=text, link_id=link.id)


def _overall(view: View) -> Iterator[Said]:
    """What outweighs the payment status."""
    if view.customer.deleted_at is not None:
        by = f" by {view.names[view.deletion.actor]}" if view.deletion else ""
        yield Said(
            "warning",
            "Deleted here",
            f"This customer was deleted {ago(view.customer.deleted_at)}{by}. Whatever Stripe has of it is "
            "still there, but it is not followed any more. Restore it to go on where it was.",
            (Do.RESTORE,),
        )
    if view.main is None:
        yield Said(
            "error",
            "No Stripe app is installed",
            "Without one, no payment method can be saved. An administrator installs one with an API key.",
            (Do.INSTALL,),
        )
    for account in view.accounts:
        if account.app.status == "unauthorized":
            yield _rejected(account)


def _rejected(account: Account) -> Said:
    since = f" {ago(account.rejected_since)}" if account.rejected_since else ""
    known = account.payer.verified_at if account.payer else None
    last = f"What stands here is from {ago(known)}" if known else "Nothing was learned before"
    return Said(
        "error",
        "Stripe rejects our API key",
        f"It was revoked or rolled at Stripe; it was first rejected{since}, and since then we can't know "
        f"what is true. {last}. An administrator gives the app “{account.app.name}” a new key.",
        (Do.KEY,),
        account.app.id,
    )


def _not_begun(account: Account) -> Said:
    """The customer has no Stripe customer there yet: how far did its link come?"""
    link = account.links[0] if account.links else None
    if link is None or link.state is links.LinkState.REVOKED:
        return Said(
            "info",
            "Not begun",
            "No page of Stripe's was opened for this customer, and no link leads to one. "
            "Make a link and send it.",
            (Do.LINK,),
        )
    made, lost = ago(link.created_at), "If it was lost, renew it below and send the new one."
    match link.state:
        case links.LinkState.EXPIRED:
            text = f"The link made {made} expired {ago(link.expires_at)}, unused. Renew it below and send it."
        case links.LinkState.OPEN:
            text = f"The link made {made} has not been opened by anybody. {lost}"
        case links.LinkState.OPENED:
            assert link.opened_at is not None
            text = f"The link was opened {ago(link.opened_at)}, but its button was not pressed. {lost}"
        case _ if (refusal := account.last("checkout.refused")) is not None:
            reason = refusal.facts.get("reason", "it gave no reason.")
            return Said(
                "error",
                "Stripe refused to open its page",
                f"The link was used {ago(refusal.at)}, and Stripe said: {reason} Edit the customer, then ask "
                "it to use the link again.",
            )
        case _:
            used = ago(link.used_at or link.created_at)
            text = f"The link was used {used}, but Stripe's page did not open. {lost}"
    return Said("warning" if not link.works else "info", "Not begun", text, ())


def _by_status(account: Account) -> list[Said]:
    if account.payer is None:
        return [_not_begun(account)]
    return [SAYERS[account.status](account)]


def _none(_account: Account) -> Said:
    return Said(
        "info",
        "No payment method yet",
        "There is a Stripe customer, but nothing was ever saved for it. Make a link and send it.",
        (Do.LINK,),
    )


def _in_progress(account: Account) -> Said:
    page = _attempt(account)
    return Said(
        "info",
        "On Stripe's page",
        f"Stripe's page was opened {ago(page.created_at)} and is not finished; it closes "
        f"{ago(page.expires_at)}. A link leads to the same page again, if the customer has lost it.",
        (Do.LINK,),
    )


def _processing(account: Account) -> Said:
    page, method = account.attempt, account.method or next(iter(account.others), None)
    if page is not None and page.next_action == MICRODEPOSITS:
        text = (
            f"The form was finished on the page opened {ago(page.created_at)}. Now a small test payment goes "
            "to the bank account, which takes 1 to 2 business days. Then the customer confirms it, by "
            "Stripe's email."
        )
    elif method is not None and method.mandate_status == "pending":
        text = f"The bank has not confirmed the mandate for {method.title} yet. That takes some days."
    else:
        text = (
            "The form was finished, but the bank has not confirmed yet. Nothing can be charged until it does."
        )
    return Said("info", "Waiting for the bank", text)


def _needs_action(account: Account) -> Said:
    page = _attempt(account)
    return Said(
        "warning",
        "3-D Secure unfinished",
        f"The bank asked the customer to confirm (3-D Secure) on the page opened {ago(page.created_at)}, and "
        f"this was not finished. {checkout.CONFIRM}",
        (Do.LINK,),
    )


def _failed(account: Account) -> Said:
    if account.method is not None:
        return Said(
            "error",
            "Can't be debited",
            f"{account.method.title} is saved, but the bank ended the mandate: it, or the account holder, no "
            "longer allows the debit. Send a link, to have another method saved.",
            (Do.LINK,),
        )
    page = account.attempt
    decline = checkout.explain_decline(page.error_code if page else None, page.decline_code if page else None)
    return Said("error", "Declined", f"{decline.means} {decline.advice}", (Do.LINK,))


def _saved(account: Account) -> Said:
    return Said(
        "success", "Saved", f"{_charged(account)} is saved and will be charged. There is nothing to do."
    )


def _expiring(account: Account) -> Said:
    return Said(
        "warning",
        "Expires soon",
        f"{_charged(account)} is valid until the end of {_expiry(account)}. Banks often renew a card by "
        "themselves; to be sure, send a link, so that the customer can save another.",
        (Do.LINK,),
    )


def _expired(account: Account) -> Said:
    return Said(
        "error",
        "Expired",
        f"{_charged(account)} was valid until the end of {_expiry(account)} and can't be charged any more. "
        "Send a link, so that the customer can save another.",
        (Do.LINK,),
    )


def _removed(account: Account) -> Said:
    if account.others or not account.removed:
        return Said(
            "error",
            "No method is chosen",
            "A payment method is attached at Stripe, but none is the default: somebody took that "
            "back in Stripe's Dashboard, or removed the one that was. Choose one below.",
        )
    gone = account.removed[0]
    by_hand = account.last("payment_method.detached", payment_method_id=gone.id) or account.last(
        "payment_method.detach_unanswered", payment_method_id=gone.id
    )
    if by_hand is not None:
        how = f"{gone.title} was removed here {ago(by_hand.at)} by {account.names[by_hand.actor]}."
        return Said("error", "Removed", f"{how} Send a link, to have another saved.", (Do.LINK,))
    return Said(
        "error",
        "Removed at Stripe",
        f"{gone.title} was detached at Stripe, as we learned {ago(_time(gone.detached_at))}: somebody "
        "removed it in Stripe's Dashboard or customer portal. It can't be attached again. Send a link, to "
        "have another saved.",
        (Do.LINK,),
    )


def _customer_gone(account: Account) -> Said:
    assert account.payer is not None
    return Said(
        "error",
        "Deleted at Stripe",
        f"Stripe no longer has this customer: somebody deleted {account.payer.stripe_customer_id} there, "
        f"as we learned {ago(_time(account.payer.gone_at))}, and its payment methods with it. "
        "Send a link: it makes a new one.",
        (Do.LINK, Do.ATTACH),
    )


def _abandoned(account: Account) -> Said:
    page = _attempt(account)
    ended = min(page.expires_at, page.settled_at or page.expires_at)
    before = ""
    if page.error_code or page.decline_code:
        decline = checkout.explain_decline(page.error_code, page.decline_code)
        before = f" Before that a try was declined: {decline.means}"
    return Said(
        "warning",
        "Abandoned",
        f"Stripe's page was opened {ago(page.created_at)} and expired unused {ago(ended)}.{before} "
        "Send a link: it opens a new page.",
        (Do.LINK,),
    )


SAYERS: dict[PaymentStatus, Callable[[Account], Said]] = {
    PaymentStatus.NONE: _none,
    PaymentStatus.IN_PROGRESS: _in_progress,
    PaymentStatus.PROCESSING: _processing,
    PaymentStatus.NEEDS_ACTION: _needs_action,
    PaymentStatus.FAILED: _failed,
    PaymentStatus.SAVED: _saved,
    PaymentStatus.EXPIRING: _expiring,
    PaymentStatus.EXPIRED: _expired,
    PaymentStatus.REMOVED: _removed,
    PaymentStatus.CUSTOMER_GONE: _customer_gone,
    PaymentStatus.ABANDONED: _abandoned,
}


def _doubts(account: Account, view: View) -> Iterator[Said]:
    """What stands beside the status: several methods, missed events, trouble in asking."""
    if account.payer is None:
        return
    if account.method is not None and account.others:
        many = {1: "Two methods"}.get(len(account.others), f"{len(account.others) + 1} methods")
        yield Said(
            "info",
            f"{many} are attached",
            f"{account.method.title} is the default. {default_method.why(account)}",
        )
    yield from _missed(account, view)
    if account.payer.attempts and account.payer.last_error and account.app.status != "unauthorized":
        due = account.payer.due_at
        again = f"The next try is {ago(due)}." if due else "It is not tried again by itself: check now."
        since = (
            f"What stands here is from {ago(account.payer.verified_at)}." if account.payer.verified_at else ""
        )
        yield Said(
            "warning",
            "Stripe could not be asked",
            f"{account.payer.last_error} {since} {again}",
        )


def _missed(account: Account, view: View) -> Iterator[Said]:
    """Events that should have come by themselves: the webhook is broken, or was."""
    if settings().is_pulling:  # then they are always fetched
        return
    found = _found_by_looking(account, view)
    fetched = [event for event in _events(account, view) if event.origin == "backfill"]
    if found is not None:
        how = f"A look {ago(found.at)} found what no event had told: {_found(found)}."
    elif fetched:
        how = f"{len(fetched)} of the events below never came; they were fetched from Stripe's list later."
    elif any(trouble.state is doctor.State.RED for trouble in account.troubles):
        how = "What happens at Stripe is seen only when we look."
    else:
        return
    yield Said(
        "warning", "Events were missed", f"{how} {_cause(account)}", (Do.EXAMINE, Do.EVENTS), account.app.id
    )


def _found_by_looking(account: Account, view: View) -> audit.Entry | None:
    """The last change of which no event told. A check may only have been quicker than the event."""
    drift, untold = account.last("sync.drift"), account.last("sync.untold")
    if untold is not None and any(
        event.received_at > untold.at - AT_ONCE for event in _events(account, view)
    ):
        untold = None
    known = [entry for entry in (drift, untold) if entry is not None and entry.at > view.now - LATELY]
    return max(known, key=lambda entry: entry.at, default=None)


def _events(account: Account, view: View) -> list[webhooks.Event]:
    lately = view.now - LATELY
    return [event for event in view.events if event.app_id == account.app.id and event.received_at > lately]


def _found(entry: audit.Entry) -> str:
    return wording.of_kinds(entry.facts.get("found", "a change"))


def _cause(account: Account) -> str:
    """Why events do not come, as far as the last examination tells."""
    if account.examination is None or not account.troubles:
        return (
            "They were missed while this portal could not be reached, or the webhook is broken at Stripe: "
            "deleted, disabled, or its secret rolled there."
        )
    worst = sorted(account.troubles, key=lambda trouble: trouble.state is not doctor.State.RED)[0]
    return f"As examined {ago(account.examination.at)}: {worst.title}. {worst.detail}"


def _attempt(account: Account) -> checkout.CheckoutSession:
    """The page on which the status rests."""
    assert account.attempt is not None
    return account.attempt


def _charged(account: Account) -> str:
    return account.method.title if account.method else wording.status(account.status)


def _expiry(account: Account) -> str:
    return (account.method.expiry if account.method else None) or "its month"


def _time(instant: datetime | None) -> datetime:
    assert instant is not None
    return instant
