"""The billing page: who sees and changes what, removals, codes and people."""

from tests.mutants.mutant import Mutant

ACCESS = "app/onboarding/billing/access.py"
ACTIONS = "app/onboarding/billing/actions.py"
CODES = "app/onboarding/billing/codes.py"
PEOPLE = "app/onboarding/billing/people.py"
DETAILS_FORM = "app/onboarding/billing/details_form.py"
DETAILS_PAGES = "app/onboarding/billing/details_pages.py"
CHANGES = "tests/onboarding/billing/test_changes.py"
DETAILS_TESTS = "tests/onboarding/billing/test_details.py"
CODE_TESTS = "tests/onboarding/billing/test_codes.py"
HOLDERS = "app/onboarding/billing/holders.py"
CODE_MAIL_TESTS = "tests/onboarding/billing/test_code_mail.py"
FORMER = "app/onboarding/billing/former_address.py"
FORMER_TESTS = "tests/onboarding/billing/test_former_address.py"
PEOPLE_TESTS = "tests/onboarding/billing/test_people.py"
SIGN_OUT = "app/onboarding/billing/sign_out.py"
SIGN_OUT_TESTS = "tests/console/customer_actions/test_sign_out.py"
BRAND_TESTS = "tests/onboarding/billing/test_brand.py"

MUTANTS = (
    Mutant(
        "a forwarded link shows older methods on the billing page",
        ACCESS,
        "return not self.is_guest or method.created_at >= self.since",
        "return True",
        "tests/onboarding/billing/test_page.py::test_shows_a_guest_only_what_was_saved_since",
    ),
    Mutant(
        "a forwarded link leads to the other customers of a browser",
        "app/onboarding/billing/pages.py",
        'others=[] if access.is_guest else others(session, access, cookie["browser"]),',
        'others=others(session, access, cookie["browser"]),',
        f"{BRAND_TESTS}::test_page_of_a_guest_leads_to_no_other",
    ),
    Mutant(
        "a link counts as a sign-up",
        ACCESS,
        "        Signup.link_id.is_(None),\n",
        "",
        f"{BRAND_TESTS}::test_page_of_a_guest_leads_to_no_other",
    ),
    Mutant(
        "a code leads to the brand of another company",
        CODES,
        "profile = holder.customer_id, links.profile_of(session, holder.customer_id)",
        "profile = holder.customer_id, None",
        f"{BRAND_TESTS}::test_somebody_with_a_code_who_named_no_profile",
    ),
    Mutant(
        "a guest changes a method that is hidden",
        ACTIONS,
        "    if not access.sees(method):\n",
        "    if method is None:\n",
        f"{CHANGES}::TestAGuest::test_changes_nothing_that_is_hidden",
    ),
    Mutant(
        "a guest changes the details",
        DETAILS_PAGES,
        "    if access.is_guest:\n",
        "    if access is None:\n",
        f"{DETAILS_TESTS}::test_are_closed_to_a_guest",
    ),
    Mutant(
        "an invited person changes the address that codes go to",
        DETAILS_FORM,
        "    if not may_change_email:\n",
        "    if may_change_email is None:\n",
        f"{DETAILS_TESTS}::test_leave_the_address_for_codes_to_the_first_person",
    ),
    Mutant(
        "two tabs remove the last two methods",
        ACTIONS,
        "    method.removal_asked_at = utcnow()\n",
        "    method.removal_asked_at = None\n",
        f"{CHANGES}::TestARemoval::test_of_the_last_two_leaves_one_while_stripe_does_not_answer",
    ),
    Mutant(
        "the default is removed without a successor",
        ACTIONS,
        "    return successor if is_default else None\n",
        "    return None\n",
        f"{CHANGES}::TestARemoval::test_gives_the_default_to_the_other_first",
    ),
    Mutant(
        "a code works for any number of tries",
        CODES,
        "BillingCode.tries < MAX_TRIES",
        "BillingCode.tries >= 0",
        f"{CODE_TESTS}::test_is_dead_after_five_wrong_tries",
    ),
    Mutant(
        "a letter that looks like another opens somebody else's page",
        "app/core/addresses.py",
        "return address.strip().translate(LOWER_CASE)",
        "return address.strip().lower()",
        f"{CODE_TESTS}::test_takes_no_other_letter_for_a_letter",
    ),
    Mutant(
        "an owner uses up an invitation for somebody else",
        PEOPLE,
        "    if held is not None and not held.is_guest:\n",
        "    if held is None and invited is None:\n",
        f"{PEOPLE_TESTS}::test_survives_when_the_owner_opens_it",
    ),
    Mutant(
        "a request tells by its work whether an address is known",
        CODES,
        "    db.end_read(session)\n    db.start_write(session)\n    _purge(session)\n",
        "    if holders_of(session, address):\n        holders_of(session, address)\n"
        "    db.end_read(session)\n    db.start_write(session)\n    _purge(session)\n",
        f"{CODE_TESTS}::test_answers_the_same_for_an_unknown_address",
    ),
    Mutant(
        "a message that was just tried is tried again at once",
        "app/outbox/actions.py",
        "row.due_at = now + min(",
        "row.due_at = now or min(",
        "tests/outbox/test_outbox.py::test_tries_again_what_could_not_be_sent",
    ),
    Mutant(
        "workers wait for an email that is slow to be sent",
        "app/application.py",
        "interval=1.0, may_block=True)",
        "interval=1.0)",
        "tests/outbox/test_outbox.py::test_a_slow_sender_holds_up_nobody",
    ),
    Mutant(
        "nobody tells the former address that it was replaced",
        "app/customers/former_email.py",
        "        listener(session, customer, former, actor=actor)\n",
        "        continue\n",
        f"{FORMER_TESTS}::test_is_told",
    ),
    Mutant(
        "a code to a former address keeps its browser in",
        FORMER,
        "BillingAccess.way == Way.CODE.value,",
        'BillingAccess.way == "",',
        f"{FORMER_TESTS}::test_opens_nothing_in_other_browsers",
    ),
    Mutant(
        "invited people lose their access when the email changes",
        FORMER,
        "        BillingAccess.person_id.is_(None),\n",
        "",
        f"{FORMER_TESTS}::test_takes_nothing_from_others",
    ),
    Mutant(
        "anybody fills the mailbox of a former address",
        FORMER,
        "if mail.sender() is None or not _may_send(former):",
        "if mail.sender() is None:",
        f"{FORMER_TESTS}::test_is_told_a_few_times_a_day",
    ),
    Mutant(
        "a code never expires",
        CODES,
        "BillingCode.expires_at > utcnow()",
        "BillingCode.expires_at.is_not(None)",
        f"{CODE_TESTS}::test_is_dead_after_fifteen_minutes",
    ),
    Mutant(
        "a code works in a browser that did not ask for it",
        CODES,
        "            BillingCode.browser_hash == browser_hash(browser),\n",
        "",
        f"{CODE_TESTS}::test_works_only_in_the_browser_that_asked",
    ),
    Mutant(
        "the browser that signed up stays signed in",
        SIGN_OUT,
        "ended = set(_forget_signups(session, customer.id))",
        "ended: set[str] = set()",
        f"{SIGN_OUT_TESTS}::test_ends_the_return_page_and_the_form",
    ),
    Mutant(
        "a code that was sent lets a signed-out browser in",
        SIGN_OUT,
        "    _end_codes(session, customer)\n",
        "",
        f"{SIGN_OUT_TESTS}::test_ends_a_code_that_was_sent",
    ),
    Mutant(
        "the browsers of all customers are signed out",
        SIGN_OUT,
        "BillingAccess.customer_id == customer.id",
        "sa.true()",
        f"{SIGN_OUT_TESTS}::test_leaves_other_customers_alone",
    ),
    Mutant(
        "an invitation by an operator is not sent",
        "app/console/customer/people_pages.py",
        "is_sent = billing.send_invitation(session, person, token, actor=operators.actor())",
        "is_sent = False",
        "tests/console/customer_actions/test_people.py::test_send_the_invitation_where_email_is_set_up",
    ),
    Mutant(
        "a removed person keeps the access",
        "app/onboarding/queries.py",
        "            BillingPerson.removed_at.is_(None),\n",
        "",
        f"{PEOPLE_TESTS}::test_a_person_who_is_only_marked_as_removed_sees_nothing",
    ),
    Mutant(
        "an invitation works twice",
        PEOPLE,
        "            BillingPerson.joined_at.is_(None),\n",
        "",
        f"{PEOPLE_TESTS}::test_works_once",
    ),
    Mutant(
        "an invited person says who gets in",
        ACCESS,
        "return not self.is_guest and self.person_id is None",
        "return not self.is_guest",
        f"{PEOPLE_TESTS}::TestOthers::test_an_invited_person_does_not",
    ),
    Mutant(
        "a person of another customer is removed",
        PEOPLE,
        "if person is None or person.customer_id != customer_id:",
        "if person is None:",
        f"{PEOPLE_TESTS}::TestOthers::test_another_customer_does_not",
    ),
    Mutant(
        name="an expired card is offered as the default",
        file="app/onboarding/billing/view.py",
        old="may_choose=not is_expired and may_choose(",
        new="may_choose=may_choose(",
        test="tests/onboarding/billing/test_unusable.py::test_an_expired_card_can_not_become_the_default",
    ),
    Mutant(
        name="the last card that can be charged is removed",
        file="app/onboarding/billing/view.py",
        old="        is_usable(method)\n        and not any",
        new="        False\n        and not any",
        test="tests/onboarding/billing/test_unusable.py::test_the_last_card_that_can_be_charged_stays",
    ),
    Mutant(
        name="an expired card takes the place of the default",
        file="app/onboarding/billing/view.py",
        old="if access.sees(row) and is_usable(row)]",
        new="if access.sees(row)]",
        test="tests/onboarding/billing/test_unusable.py::test_an_expired_card_does_not_take_the_place_of_the_default",
    ),
    Mutant(
        name="a customer that is gone at Stripe is sent there",
        file="app/onboarding/billing/view.py",
        old="payer.stripe_customer_id is not None and not payer.stripe_deleted_at",
        new="payer.stripe_customer_id is not None",
        test="tests/onboarding/billing/test_unusable.py::test_a_customer_that_is_gone_at_stripe_has_no_page_there",
    ),
    Mutant(
        name="a guest confirms a bank account from before",
        file="app/onboarding/billing/view.py",
        old="is_hidden = access.is_guest and row.created_at < access.since",
        new="is_hidden = False",
        test="tests/onboarding/billing/test_unusable.py::test_a_guest_is_not_asked_to_confirm_an_account_from_before",
    ),
    Mutant(
        name="another spelling of an address gets more codes",
        file="app/onboarding/billing/codes.py",
        old='(BUDGET_OF_ADDRESS, keyed_hash("address", folded_email(address)))',
        new='(BUDGET_OF_ADDRESS, keyed_hash("address", address))',
        test="tests/onboarding/billing/test_codes.py::test_is_limited_for_each_address",
    ),
    Mutant(
        name="an invited person gets a code for a deleted customer",
        file=HOLDERS,
        old="            BillingPerson.removed_at.is_(None),\n            customer.deleted_at.is_(None),\n",
        new="            BillingPerson.removed_at.is_(None),\n",
        test="tests/onboarding/billing/test_people.py::test_gets_no_code_for_a_customer_that_was_deleted",
    ),
    Mutant(
        name="pages wait for Stripe without a budget",
        file="app/gateway/time_budget.py",
        old="    pages.before_request(set_budget)\n",
        new="",
        test="tests/onboarding/test_waiting.py::test_the_billing_page_answers_in_time",
    ),
    Mutant(
        name="the budget of a page goes on for other work",
        file="app/gateway/time_budget.py",
        old="lambda _error: clear_budget()",
        new="lambda _error: None",
        test="tests/onboarding/test_waiting.py::test_the_billing_page_answers_in_time",
    ),
    Mutant(
        name="two requests at once use one code",
        file="app/onboarding/billing/codes.py",
        old=".where(BillingCode.id == code_id, BillingCode.used_at.is_(None))",
        new=".where(BillingCode.id == code_id)",
        test="tests/onboarding/billing/test_codes.py::test_lets_one_of_two_in_that_enter_it_at_once",
    ),
    Mutant(
        name="an account that the bank gave up counts as usable",
        file="app/onboarding/billing/view.py",
        old='return (end is None or utcnow() < end) and method.mandate_status != "inactive"',
        new="return end is None or utcnow() < end",
        test="tests/onboarding/billing/test_unusable.py::test_an_account_that_the_bank_gave_up_does_not_take_its_place",
    ),
    Mutant(
        "a customer that is unlinked while Stripe answers still sees its cards",
        "app/onboarding/billing/view.py",
        "if payer.deleted_at is not None:  # unlinked meanwhile",
        "if payer.id is None:  # unlinked meanwhile",
        "tests/onboarding/billing/test_page.py::test_shows_no_method_of_who_is_unlinked_while_stripe_answers",
    ),
    Mutant(
        "the page of an unlinked customer fails",
        "app/onboarding/billing/view.py",
        "payer, is_checked = None, True",
        "payer = None",
        "tests/onboarding/billing/test_page.py::test_shows_no_method_of_who_is_unlinked_while_stripe_answers",
    ),
    Mutant(
        "the details of a customer change that was deleted meanwhile",
        "app/onboarding/billing/details.py",
        "    customers.refuse_deleted(customer)\n",
        "",
        "tests/onboarding/billing/test_details.py::test_of_who_is_deleted_meanwhile_do_not_change",
    ),
    Mutant(
        "the customer is not read again before its details change",
        "app/onboarding/billing/details.py",
        "        .execution_options(populate_existing=True)\n",
        "",
        "tests/onboarding/billing/test_details.py::test_of_who_is_deleted_meanwhile_do_not_change",
    ),
    Mutant(
        "a code leads to the oldest customer of an address",
        "app/onboarding/billing/codes.py",
        "for holder in reversed(holders):",
        "for holder in holders:",
        "tests/onboarding/billing/test_codes.py::test_opens_all_customers_of_the_address",
    ),
    Mutant(
        "a code opens a customer of a profile that wants no codes",
        HOLDERS,
        "allowed = [each for each in placed if published.profiles[each.slug].billing.codes]",
        "allowed = placed",
        f"{CODE_MAIL_TESTS}::test_opens_no_customer_of_a_profile_that_wants_no_codes_since",
    ),
    Mutant(
        "a code speaks for another profile than the one that was asked",
        HOLDERS,
        "return sorted(allowed, key=lambda each: each.slug != asked_for)[:MAX_CUSTOMERS]",
        "return allowed[:MAX_CUSTOMERS]",
        f"{CODE_MAIL_TESTS}::test_comes_from_the_profile_that_was_asked_and_opens_its_page",
    ),
    Mutant(
        "a code speaks for the default profile",
        "app/onboarding/billing/voice.py",
        "published.slug_of(links.profile_of(session, customer_id))",
        "published.default_profile",
        f"{CODE_MAIL_TESTS}::test_has_the_name_the_language_and_the_reply_address",
    ),
    Mutant(
        "a removal stays under way when its process is killed",
        "app/onboarding/billing/actions.py",
        "    payers.mark_due(session, payer.id, at=utcnow() + SETTLE_DELAY)\n",
        "",
        "tests/onboarding/billing/test_killed.py::test_a_removal_that_took_effect_is_found",
    ),
    Mutant(
        "two tabs with one code wait for each other",
        HOLDERS,
        "which.with_for_update(**customers.FOR_CHANGE)",
        "which.with_for_update(read=True)",
        "tests/onboarding/billing/test_people.py::test_gets_in_by_a_first_code_that_two_tabs_send_at_once",
        database="postgresql",
    ),
    Mutant(
        "an invitation leads to the brand of another company",
        "app/onboarding/billing/people.py",
        "    profile = links.profile_of(session, person.customer_id)\n",
        "    profile = None\n",
        "tests/onboarding/billing/test_brand.py::test_an_invited_person",
    ),
)
