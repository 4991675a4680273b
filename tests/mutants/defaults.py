"""Which card is charged: what somebody chose at Stripe, and what our policy did there."""

from tests.mutants.mutant import Mutant

MUTANTS = (
    Mutant(
        "a choice for another customer keeps a saved card from being the default",
        "app/sync/policy.py",
        "if change is not None and change.customer_id == payer.stripe_customer_id:",
        "if change is not None:",
        "tests/sync/test_default_choices.py::test_of_another_customer_says_nothing_about_this_one",
    ),
    Mutant(
        "a card that another customer saves undoes a choice",
        "app/sync/policy.py",
        ' and event["data"]["object"]["id"] == saved.setup_id:',
        ":",
        "tests/sync/test_default_choices.py::test_stands_though_another_customer_saves_a_card_after_it",
    ),
    Mutant(
        "a choice behind the first hundred changes is undone",
        "app/sync/policy.py",
        "        after = page.last_id",
        "        after = None",
        "tests/sync/test_default_choices.py::test_stands_though_a_hundred_other_changes_follow",
    ),
    Mutant(
        "our own policy counts as somebody's choice",
        "app/gateway/default_changes.py",
        " and not is_policys",
        "",
        "tests/sync/test_default_choices.py::test_by_our_own_policy_is_no_choice_after_a_card_that_was_saved_meanwhile",
    ),
    Mutant(
        "what our policy asks Stripe for looks like somebody's choice",
        "app/gateway/customers.py",
        '{"idempotency_key": f"{BY_POLICY}{uuid4()}"} if choice is None else {}',
        "{}",
        "tests/sync/test_default_choices.py::test_by_our_own_policy_is_no_choice_after_a_card_that_was_saved_meanwhile",
    ),
)
