"""What each payment status means for one customer, and what to do about it."""

from collections.abc import Callable
from datetime import datetime

from app import checkout, links
from app.console.customer.account import Account
from app.console.customer.findings import Finding, SuggestedAction
from app.payers import PaymentStatus, status_info
from app.web.times import ago

MICRODEPOSITS = "verify_with_microdeposits"


def _not_begun(account: Account) -> Finding:
    """The customer has no Stripe customer there yet: how far did its link come?"""
    link = account.links[0] if account.links else None
    if link is None or link.state is links.LinkState.REVOKED:
        return Finding(
            "info",
            "Not started",
            "No page of Stripe's was opened for this customer, and no link leads to one. "
            "Make a link and send it.",
            (SuggestedAction.LINK,),
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
            return Finding(
                "error",
                "Stripe refused to open its page",
                f"The link was used {ago(refusal.at)}, and Stripe said: {reason} Edit the customer, then ask "
                "it to use the link again.",
            )
        case _:
            used = ago(link.used_at or link.created_at)
            text = f"The link was used {used}, but Stripe's page did not open. {lost}"
    return Finding("warning" if not link.works else "info", "Not started", text, ())


def findings_of(account: Account) -> list[Finding]:
    if account.payer is None:
        return [_not_begun(account)]
    find = FINDINGS.get(account.status, _from_table)
    return [find(account)]


def _from_table(account: Account) -> Finding:
    info = status_info(account.status)
    tone = "info" if info.tone == "neutral" else info.tone
    actions = () if info.is_usable or info.is_under_way else (SuggestedAction.LINK,)
    return Finding(tone, info.label, info.advice, actions)


def _in_progress(account: Account) -> Finding:
    page = _attempt(account)
    return Finding(
        "info",
        "On Stripe's page",
        f"Stripe's page was opened {ago(page.created_at)} and is not finished; it closes "
        f"{ago(page.expires_at)}. A link leads to the same page again, if the customer has lost it.",
        (SuggestedAction.LINK,),
    )


def _processing(account: Account) -> Finding:
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
    return Finding("info", "Waiting for the bank", text)


def _needs_action(account: Account) -> Finding:
    page = _attempt(account)
    return Finding(
        "warning",
        "3-D Secure unfinished",
        f"The bank asked the customer to confirm (3-D Secure) on the page opened {ago(page.created_at)}, and "
        f"this was not finished. {checkout.CONFIRM}",
        (SuggestedAction.LINK,),
    )


def _failed(account: Account) -> Finding:
    if account.method is not None:
        return Finding(
            "error",
            "Can't be debited",
            f"{account.method.title} is saved, but the bank ended the mandate: it, or the account holder, no "
            "longer allows the debit. Send a link, to have another method saved.",
            (SuggestedAction.LINK,),
        )
    page = account.attempt
    decline = checkout.explain_decline(page.error_code if page else None, page.decline_code if page else None)
    return Finding("error", "Declined", f"{decline.means} {decline.advice}", (SuggestedAction.LINK,))


def _saved(account: Account) -> Finding:
    return Finding(
        "success", "Saved", f"{_charged(account)} is saved and will be charged. There is nothing to do."
    )


def _expiring(account: Account) -> Finding:
    return Finding(
        "warning",
        "Expires soon",
        f"{_charged(account)} is valid until the end of {_expiry(account)}. Banks often renew a card by "
        "themselves; to be sure, send a link, so that the customer can save another.",
        (SuggestedAction.LINK,),
    )


def _expired(account: Account) -> Finding:
    return Finding(
        "error",
        "Expired",
        f"{_charged(account)} was valid until the end of {_expiry(account)} and can't be charged any more. "
        "Send a link, so that the customer can save another.",
        (SuggestedAction.LINK,),
    )


def _removed(account: Account) -> Finding:
    if account.others or not account.removed:
        return Finding(
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
        return Finding(
            "error", "Removed", f"{how} Send a link, to have another saved.", (SuggestedAction.LINK,)
        )
    return Finding(
        "error",
        "Removed at Stripe",
        f"{gone.title} was detached at Stripe, as we learned {ago(_time(gone.detached_at))}: somebody "
        "removed it in Stripe's Dashboard or customer portal. It can't be attached again. Send a link, to "
        "have another saved.",
        (SuggestedAction.LINK,),
    )


def _customer_gone(account: Account) -> Finding:
    assert account.payer is not None
    return Finding(
        "error",
        "Deleted at Stripe",
        f"Stripe no longer has this customer: somebody deleted {account.payer.stripe_customer_id} there, "
        f"as we learned {ago(_time(account.payer.gone_at))}, and its payment methods with it. "
        "Send a link: it makes a new one.",
        (SuggestedAction.LINK, SuggestedAction.ATTACH),
    )


def _abandoned(account: Account) -> Finding:
    page = _attempt(account)
    ended = min(page.expires_at, page.settled_at or page.expires_at)
    before = ""
    if page.error_code or page.decline_code:
        decline = checkout.explain_decline(page.error_code, page.decline_code)
        before = f" Before that a try was declined: {decline.means}"
    return Finding(
        "warning",
        "Abandoned",
        f"Stripe's page was opened {ago(page.created_at)} and expired unused {ago(ended)}.{before} "
        "Send a link: it opens a new page.",
        (SuggestedAction.LINK,),
    )


FINDINGS: dict[PaymentStatus, Callable[[Account], Finding]] = {
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


def _attempt(account: Account) -> checkout.CheckoutSession:
    """The page on which the status rests."""
    assert account.attempt is not None
    return account.attempt


def _charged(account: Account) -> str:
    return account.method.title if account.method else status_info(account.status).label


def _expiry(account: Account) -> str:
    return (account.method.expiry if account.method else None) or "its month"


def _time(instant: datetime | None) -> datetime:
    assert instant is not None
    return instant
