"""What each payment status means for one customer, and what to do about it."""

from collections.abc import Callable
from datetime import datetime

from app import checkout
from app.console.customer.account import Account
from app.console.customer.diagnosis.findings import Finding, SuggestedAction
from app.onboarding import links
from app.payers import BLOCK_DURATION, Payer, PaymentStatus, status_info
from app.web.times import ago


def _not_begun(account: Account) -> Finding:
    """The customer has no Stripe customer in this app yet: how far has its link got?"""
    link = account.links[0] if account.links else None
    if link is None or link.state is links.LinkState.REVOKED:
        return Finding(
            "info",
            "Not started",
            "This customer has not been to Stripe's page and has no link. Make a link and send it.",
            (SuggestedAction.LINK,),
        )
    made, lost = ago(link.created_at), "If the customer lost it, renew it below and send the new one."
    match link.state:
        case links.LinkState.EXPIRED:
            text = f"The link made {made} expired unused {ago(link.expires_at)}. Renew it below and send it."
        case links.LinkState.OPEN:
            text = f"The link made {made} has not been opened yet. {lost}"
        case links.LinkState.OPENED:
            assert link.opened_at is not None
            text = f"The link was opened {ago(link.opened_at)} but not used. {lost}"
        case _ if (refusal := account.last("checkout.refused")) is not None:
            reason = refusal.facts.get("reason", "no reason.")
            return Finding(
                "error",
                "Stripe refused to open a checkout session",
                f"The customer used the link {ago(refusal.at)}, and Stripe said: {reason} Edit the customer, "
                "then ask them to use the link again.",
            )
        case _:
            used = ago(link.used_at or link.created_at)
            text = f"The customer used the link {used}, but Stripe's page did not open. {lost}"
    return Finding("warning" if not link.works else "info", "Not started", text, ())


def _not_at_stripe(payer: Payer) -> Finding:
    """The customer signed up, but Stripe has not answered yet."""
    reason = f" The last attempt failed: {payer.last_error}" if payer.last_error else ""
    return Finding(
        "warning",
        "Signed up, not at Stripe yet",
        f"The details are saved, but Stripe has not created its customer yet.{reason} The portal keeps "
        "trying, and the customer can continue in the same browser.",
        (SuggestedAction.LINK,),
    )


def findings_of(account: Account) -> list[Finding]:
    if account.payer is None:
        return [_not_begun(account)]
    if account.payer.stripe_customer_id is None:
        return [_not_at_stripe(account.payer)]
    if account.is_blocked and not _is_done(account.status):
        return [_blocked(account)]
    find = FINDINGS.get(account.status, _from_table)
    return [find(account)]


def _is_done(status: PaymentStatus) -> bool:
    """Has the customer nothing more to do?"""
    return status_info(status).is_usable or status_info(status).waits_for_bank


def _blocked(account: Account) -> Finding:
    """Why the session was closed counts more than that it is closed. No link leads on meanwhile."""
    assert account.payer is not None
    since = _time(account.payer.blocked_at)
    return Finding(
        "error",
        "Too many declined attempts",
        f"We closed Stripe's page {ago(since)}, because somebody may be testing stolen cards. Links open "
        f"it again {ago(since + BLOCK_DURATION)}. If you know the customer, allow more attempts below.",
    )


def _from_table(account: Account) -> Finding:
    info = status_info(account.status)
    tone = "info" if info.tone == "neutral" else info.tone
    actions = () if info.is_usable or info.is_under_way else (SuggestedAction.LINK,)
    return Finding(tone, info.label, info.advice, actions)


def _in_progress(account: Account) -> Finding:
    attempt = _attempt(account)
    return Finding(
        "info",
        "On Stripe's page",
        f"The customer opened Stripe's page {ago(attempt.created_at)} and has not finished. It closes "
        f"{ago(attempt.expires_at)}. A link takes them back to the same page.",
        (SuggestedAction.LINK,),
    )


def _processing(account: Account) -> Finding:
    attempt, method = account.attempt, account.method or next(iter(account.others), None)
    if attempt is not None and attempt.awaits_microdeposits:
        text = (
            f"The customer completed the form opened {ago(attempt.created_at)}. Stripe sends a small test "
            "payment to the bank account, which takes 1 to 2 business days. The customer then confirms it "
            "from Stripe's email."
        )
    elif method is not None and method.mandate_status == "pending":
        text = f"The bank has not confirmed the mandate for {method.title} yet. This can take a few days."
    else:
        text = "The customer completed the form. Nothing can be charged until the bank confirms."
    return Finding("info", "Waiting for the bank", text)


def _needs_action(account: Account) -> Finding:
    attempt = _attempt(account)
    return Finding(
        "warning",
        "3-D Secure unfinished",
        f"The bank asked for confirmation (3-D Secure) on the page opened {ago(attempt.created_at)}, but the "
        f"customer did not finish. {checkout.CONFIRM}",
        (SuggestedAction.LINK,),
    )


def _failed(account: Account) -> Finding:
    if account.method is not None:
        return Finding(
            "error",
            "Can't be debited",
            f"{account.method.title} is saved, but the bank or the account holder ended the mandate. Send a "
            "link so the customer can save another method.",
            (SuggestedAction.LINK,),
        )
    attempt = account.attempt
    decline = checkout.explain_decline(
        attempt.error_code if attempt else None, attempt.decline_code if attempt else None
    )
    return Finding("error", "Declined", f"{decline.means} {decline.advice}", (SuggestedAction.LINK,))


def _saved(account: Account) -> Finding:
    return Finding(
        "success", "Saved", f"{_charged(account)} is saved and is the default payment method. Nothing to do."
    )


def _expiring(account: Account) -> Finding:
    return Finding(
        "warning",
        "Expires soon",
        f"{_charged(account)} is valid until the end of {_expiry(account)}. Banks often renew cards "
        "automatically. To be safe, send a link so the customer can save another.",
        (SuggestedAction.LINK,),
    )


def _expired(account: Account) -> Finding:
    return Finding(
        "error",
        "Expired",
        f"{_charged(account)} was valid until the end of {_expiry(account)} and can't be charged. "
        "Send a link so the customer can save another.",
        (SuggestedAction.LINK,),
    )


def _removed(account: Account) -> Finding:
    if account.others or not account.removed:
        return Finding(
            "error",
            "No default payment method",
            "Payment methods are attached at Stripe, but none is the default. Somebody changed that in "
            "Stripe's Dashboard or removed the default. Choose one below.",
        )
    gone = account.removed[0]
    by_hand = account.last("payment_method.detached", payment_method_id=gone.id) or account.last(
        "payment_method.detach_unanswered", payment_method_id=gone.id
    )
    if by_hand is not None:
        how = f"{gone.title} was removed {ago(by_hand.at)} by {account.names[by_hand.actor]}."
        return Finding(
            "error",
            "Removed",
            f"{how} Send a link so the customer can save another.",
            (SuggestedAction.LINK,),
        )
    return Finding(
        "error",
        "Removed at Stripe",
        f"Somebody removed {gone.title} in Stripe's Dashboard or customer portal; we learned this "
        f"{ago(_time(gone.detached_at))}. It can't be attached again. Send a link so the customer can save "
        "another.",
        (SuggestedAction.LINK,),
    )


def _customer_gone(account: Account) -> Finding:
    assert account.payer is not None
    return Finding(
        "error",
        "Deleted at Stripe",
        f"Somebody deleted {account.payer.stripe_customer_id} and its payment methods at Stripe; we learned "
        f"this {ago(_time(account.payer.stripe_deleted_at))}. Send a link to create a new Stripe customer.",
        (SuggestedAction.LINK, SuggestedAction.ATTACH),
    )


def _abandoned(account: Account) -> Finding:
    attempt = _attempt(account)
    ended = min(attempt.expires_at, attempt.settled_at or attempt.expires_at)
    before = ""
    if attempt.error_code or attempt.decline_code:
        decline = checkout.explain_decline(attempt.error_code, attempt.decline_code)
        before = f" The last attempt was declined: {decline.means}"
    return Finding(
        "warning",
        "Abandoned",
        f"The customer opened Stripe's page {ago(attempt.created_at)}, and it expired {ago(ended)}.{before} "
        "Send a link to open a new page.",
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
    """The checkout session behind the status."""
    assert account.attempt is not None
    return account.attempt


def _charged(account: Account) -> str:
    return account.method.title if account.method else status_info(account.status).label


def _expiry(account: Account) -> str:
    return (account.method.expiry if account.method else None) or "its month"


def _time(instant: datetime | None) -> datetime:
    assert instant is not None
    return instant
