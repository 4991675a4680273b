"""Why a payment method is the default."""

from datetime import timedelta

from app import portal
from app.console.customer.account import Account

MAX_ANSWER_DELAY = timedelta(hours=1)  # by then a check has found the result
ONLY_SAVED = "It is the only one saved so far."
ONLY_ATTACHED = "It is the only one attached."
BY_PROGRAM = "A program chose it through the API."
BY_REPLACING = "It was saved last through this portal (policy: replace)."
OTHERS_CAME_LATER = "Methods added later at Stripe did not change it."
BY_KEEPING = "It was saved first, and later methods do not replace it (policy: keep)."
BY_ASKING = "It was saved first. The customer chooses whether another takes its place (policy: ask)."
BY_CUSTOMER = "The customer chose it on the billing page."
ELSEWHERE = "It was chosen in Stripe's Dashboard, or by another program that uses the same Stripe account."
KEEPING = {"keep": BY_KEEPING, "ask": BY_ASKING}


def explain(account: Account) -> str:
    """Why the default method is the default, according to our records. There must be one."""
    return _chosen_here(account) or _by_policy(account)


def _chosen_here(account: Account) -> str | None:
    assert account.payer is not None
    change = account.last("default_method.changed", payment_method_id=account.payer.default_method_id)
    asked = account.last("default_method.unanswered", payment_method_id=account.payer.default_method_id)
    if asked is not None and (change is None or asked.at <= change.at <= asked.at + MAX_ANSWER_DELAY):
        change = asked  # Stripe's answer was lost, but the request took effect
    actor = change.actor if change else ""
    if actor.startswith("operator:"):
        return f"{account.names[actor]} chose it here."
    if actor == "visitor":
        return BY_CUSTOMER
    if account.payer.chosen_method_id == account.payer.default_method_id:
        return BY_PROGRAM
    return ONLY_SAVED if len(account.payer.methods) == 1 else None


def _by_policy(account: Account) -> str:
    assert account.method is not None
    saved = [
        opened.payment_method_id for opened in account.checkout_sessions if opened.setup_status == "succeeded"
    ]
    policy = portal.current_profile().payment_method_policy
    if policy == "replace" and account.method.id in saved and _is_policys(account, saved):
        came_later = any(row.created_at > account.method.created_at for row in account.others)
        return f"{BY_REPLACING} {OTHERS_CAME_LATER}" if came_later else BY_REPLACING
    if policy in KEEPING and saved[-1:] == [account.method.id]:
        return KEEPING[policy]
    return ELSEWHERE if account.others else ONLY_ATTACHED


def _is_policys(account: Account, saved: list[str | None]) -> bool:
    """Did our policy choose the default? Without a record, assume that it chose the method saved last."""
    assert account.payer is not None
    recorded = account.payer.policy_method_id
    return (
        recorded == account.payer.default_method_id
        if recorded
        else saved[0] == account.payer.default_method_id
    )
