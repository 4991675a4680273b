"""What is wrong with one customer, in a sentence or two, and what to do about it."""

from collections.abc import Iterator
from dataclasses import replace

from app import customers
from app.console.customer.account import Account
from app.console.customer.diagnosis import status_findings, warnings
from app.console.customer.diagnosis.findings import Finding, SuggestedAction
from app.console.customer.view import View
from app.core.values import frozen
from app.onboarding import links
from app.web.times import ago

TONES = ("error", "warning", "info", "success")  # the most urgent first


@frozen
class Diagnosis:
    """The most important finding, and the others."""

    first: Finding
    besides: list[Finding]


def diagnose(view: View) -> Diagnosis:
    """Diagnose a customer in each of its Stripe apps."""
    found = [*_overall(view)]
    if view.customer.deleted_at is None:
        statuses = [
            _in_app(finding, account, view)
            for account in view.accounts
            for finding in status_findings.findings_of(account)
        ]
        # The sort is stable: the worst first, and the default app before others.
        found += sorted(statuses, key=lambda finding: TONES.index(finding.tone))
        for account in view.accounts:
            found += [_in_app(finding, account, view) for finding in warnings.warnings_of(account, view)]
    return Diagnosis(found[0], found[1:])


def _in_app(finding: Finding, account: Account, view: View) -> Finding:
    """Add the app, when there are several, and the working link."""
    if len(view.accounts) > 1:
        finding = replace(finding, title=f"{finding.title} in {account.app.name}")
    link = account.working_link
    if link is not None and SuggestedAction.LINK in finding.actions:
        finding = _with_link(finding, link)
    return replace(finding, app_id=account.app.id)


def _with_link(finding: Finding, link: links.OnboardingLink) -> Finding:
    """Mention the working link, before an operator makes another."""
    went = "it has not been opened yet"
    if link.used_at is not None:
        went = f"last used {ago(link.last_used_at or link.used_at)}"
    elif link.opened_at is not None:
        went = f"it was opened {ago(link.opened_at)} but not used"
    text = f"{finding.text} A link made {ago(link.created_at)} still works: {went}."
    return replace(finding, text=text, link_id=link.id)


def _overall(view: View) -> Iterator[Finding]:
    """Findings that outweigh the payment status."""
    if view.customer.deleted_at is not None:
        by = f" by {view.names[view.deletion.actor]}" if view.deletion else ""
        yield Finding(
            "warning",
            "Deleted",
            f"This customer was deleted {ago(view.customer.deleted_at)}{by}. Its data at Stripe "
            "is untouched, but we no longer follow it. Restore it to continue.",
            (SuggestedAction.RESTORE,),
        )
    elif view.customer.approval == customers.WAITING:
        yield Finding(
            "warning",
            "Waits for approval",
            f"This customer signed up {ago(view.customer.created_at)}. Stripe stays closed until then.",
            (SuggestedAction.APPROVE, SuggestedAction.DECLINE),
        )
    elif view.customer.approval == customers.DECLINED:
        yield Finding(
            "info",
            "Sign-up declined",
            "The customer can't save a payment method. You can still approve the sign-up.",
            (SuggestedAction.APPROVE,),
        )
    if view.main is None:
        yield Finding(
            "error",
            "No Stripe app is installed",
            "Nobody can save a payment method until an admin installs one.",
            (SuggestedAction.INSTALL,),
        )
    for account in view.accounts:
        if account.app.status == "unauthorized":
            yield _rejected(account)


def _rejected(account: Account) -> Finding:
    since = f" {ago(account.rejected_since)}" if account.rejected_since else ""
    known = account.payer.verified_at if account.payer else None
    last = f"This page shows the state from {ago(known)}" if known else "Nothing is known from before"
    return Finding(
        "error",
        "Stripe rejects our API key",
        f"Stripe first rejected it{since}: it was revoked or rolled. We can't check anything until then. "
        f"{last}. An admin must enter a new key for “{account.app.name}”.",
        (SuggestedAction.KEY,),
        account.app.id,
    )
