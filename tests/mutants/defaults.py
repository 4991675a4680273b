"""Which card is charged: what somebody chose at Stripe, and what our policy did there."""

from tests.mutants.mutant import Mutant

MUTANTS = (
    Mutant(
        "a choice for another customer keeps a saved card from being the default",
        "app/gateway/values/default_changes.py",
        'event.get("type") == "customer.updated" and customer.get("id") == customer_id',
        'event.get("type") == "customer.updated"',
        "tests/sync/test_default_choices.py::test_of_another_customer_says_nothing_about_this_one",
    ),
    Mutant(
        "a card that another customer saves undoes a choice",
        "app/sync/convergence/policy.py",
        ' and event["data"]["object"]["id"] == saved.setup_id:',
        ":",
        "tests/sync/test_default_choices.py::test_is_kept_though_another_customer_saves_a_card_after_it",
    ),
    Mutant(
        "a choice behind the first hundred changes is undone",
        "app/sync/convergence/policy.py",
        "        after = page.last_id",
        "        after = None",
        "tests/sync/test_default_choices.py::test_is_kept_though_a_hundred_other_changes_follow",
    ),
    Mutant(
        "our own policy counts as somebody's choice",
        "app/gateway/values/default_changes.py",
        " and not is_policys",
        "",
        "tests/sync/test_default_choices.py::test_by_our_own_policy_is_no_choice_after_a_card_that_was_saved_meanwhile",
    ),
    Mutant(
        "what our policy asks Stripe for looks like somebody's choice",
        "app/gateway/calls/customers.py",
        '{"idempotency_key": f"{BY_POLICY}{uuid4()}"} if choice is None else {}',
        "{}",
        "tests/sync/test_default_choices.py::test_by_our_own_policy_is_no_choice_after_a_card_that_was_saved_meanwhile",
    ),
    Mutant(
        "a deleted profile stops the customers who signed up there",
        "app/sync/convergence/policy.py",
        "portal.published().profile_of(slug)",
        "portal.published().profiles[slug or portal.published().default_profile]",
        "tests/sync/test_default_by_policy.py::test_is_that_of_the_default_profile_once_its_own_was_deleted",
    ),
    Mutant(
        "the policy of the default profile counts for all profiles",
        "app/sync/convergence/policy.py",
        "portal.published().profile_of(slug)",
        "portal.published().default",
        "tests/sync/test_default_by_policy.py::test_is_that_of_the_profile_by_which_somebody_came",
    ),
    Mutant(
        "an account that is confirmed late takes the place of a newer card",
        "app/sync/convergence/policy.py",
        "if is_by_policy and default.created_at > saved.method.created_at:",
        "if is_by_policy and default.created_at < saved.method.created_at:",
        "tests/sync/test_default_by_policy.py::test_gives_way_to_no_account_that_was_entered_before_it",
    ),
    Mutant(
        "a payer that lives again counts as checked just now",
        "app/payers/actions.py",
        "payer.deleted_at = payer.stripe_deleted_at = payer.verified_at = None",
        "payer.deleted_at = payer.stripe_deleted_at = None",
        "tests/payers/test_stripe_data.py::TestStripeData::test_bound_again_is_asked_about_though_it_was_checked_just_now",
    ),
)
