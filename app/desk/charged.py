"""Which payment method is charged, and why that one."""

from app.config import settings
from app.desk.customer_view import Account

ONLY_SAVED = "It is the only one that was ever saved."
ONLY_ATTACHED = "It is the only one that is attached."
BY_PROGRAM = "A program chose it, through the API."
BY_REPLACING = "It was saved last, and what is saved last is charged (policy: replace)."
BY_KEEPING = "It was saved first, and what is saved later does not take its place (policy: keep)."
ELSEWHERE = "It was chosen in Stripe's Dashboard, or by another program with the same Stripe account."


def why(account: Account) -> str:
    """Why the method that is charged is the one, as far as the record tells; there must be one."""
    return _chosen_here(account) or _by_policy(account)


def _chosen_here(account: Account) -> str | None:
    assert account.payer is not None
    change = account.last("default_method.changed", payment_method_id=account.payer.default_method_id)
    actor = change.actor if change else ""
    if actor.startswith("operator:"):
        return f"{account.names[actor]} chose it here."
    if account.payer.chosen_method_id == account.payer.default_method_id:
        return BY_PROGRAM
    return ONLY_SAVED if len(account.payer.methods) == 1 else None


def _by_policy(account: Account) -> str:
    assert account.method is not None
    saved = [page.payment_method_id for page in account.pages if page.setup_status == "succeeded"]
    policy = settings().payment_method_policy
    if policy == "replace" and saved[:1] == [account.method.id]:
        return BY_REPLACING
    if policy == "keep" and saved[-1:] == [account.method.id]:
        return BY_KEEPING
    return ELSEWHERE if account.others else ONLY_ATTACHED
