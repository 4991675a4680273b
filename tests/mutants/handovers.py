"""Signed hand-overs, the way back to the company's app, and frames."""

from tests.mutants.mutant import Mutant

ACTIONS = "app/onboarding/handovers/actions.py"
TOKENS = "app/onboarding/handovers/tokens.py"
FORM = "app/onboarding/handovers/arrival/form.py"
VALUES = "app/onboarding/handovers/values.py"
RETURNS = "app/onboarding/returns/way_back.py"
EMBEDDING = "app/onboarding/browsers/embedding.py"
REFUSED = "tests/onboarding/handovers/test_refused.py"
LATER = "tests/onboarding/handovers/test_locked_later.py"
WAY_BACK = "tests/onboarding/handovers/test_way_back.py"
FRAMES = "tests/onboarding/test_embedding.py"

MUTANTS = (
    Mutant(
        "the API takes an answer to a question that nobody asks",
        "app/onboarding/handovers/api.py",
        "    _refuse_unknown(body)\n",
        "",
        "tests/onboarding/handovers/test_unfit.py::test_refuses_a_call_that_answers_an_unknown_question",
    ),
    Mutant(
        "nobody learns that an answer of a token was left out",
        "app/onboarding/handovers/arrival/form.py",
        "    if unknown:\n",
        "    if not unknown:\n",
        "tests/onboarding/handovers/test_unfit.py::test_a_token_outlives_the_question_that_it_answers",
    ),
    Mutant(
        "a program revokes the link of another customer",
        "app/onboarding/links/api.py",
        "    if link_id not in {",
        "    if link_id in {",
        "tests/onboarding/links/test_api.py::test_revokes_no_link_of_somebody_else",
    ),
    Mutant(
        "a single-use hand-over gives a second browser access",
        ACTIONS,
        "if (used.customer_id, used.browser_hash) != (customer_id, browser_hash):",
        "if used.customer_id is None:",
        "tests/onboarding/handovers/test_single_use.py::test_gives_no_second_browser_access",
    ),
    Mutant(
        "a claim that we do not know is ignored",
        TOKENS,
        "return sorted((said.keys() - known) | foreign)",
        "return sorted(foreign)",
        f"{REFUSED}::test_one_that_says_too_much_or_too_little",
    ),
    Mutant(
        "a part of an address that we do not know is ignored",
        TOKENS,
        "return sorted((said.keys() - known) | foreign)",
        "return sorted(said.keys() - known)",
        f"{REFUSED}::test_one_that_says_too_much_or_too_little",
    ),
    Mutant(
        "a token may live without end",
        TOKENS,
        "if expires_at > utcnow() + MAX_LIFETIME + CLOCK_SKEW:",
        "if expires_at > utcnow() + 1000 * MAX_LIFETIME:",
        f"{REFUSED}::test_one_that_says_too_much_or_too_little",
    ),
    Mutant(
        "the browser changes a locked field",
        VALUES,
        "    for each in _fixed_inputs(details):\n",
        "    for each in ():\n",
        "tests/onboarding/handovers/test_form.py::test_stays_locked_when_something_else_is_wrong",
    ),
    Mutant(
        "the browser changes a locked field when it comes back",
        "app/onboarding/signup/actions.py",
        "merged(without_locked(wanted, held, customer.locked or ()), held)",
        "merged(wanted, held)",
        f"{LATER}::test_is_not_changed_by_the_tab_of_the_hand_over",
    ),
    Mutant(
        "a form that comes back loses its locks",
        FORM,
        "return _of_known(session) or SignupForm(formdata=request.form)",
        "return SignupForm(formdata=request.form)",
        f"{LATER}::test_stays_locked_when_the_form_is_shown_again",
    ),
    Mutant(
        "a browser names the form of another one",
        FORM,
        'if own is None or own.browser_hash != browser_hash(cookie.get("browser", "")):',
        "if own is None:",
        f"{LATER}::test_shows_nothing_to_another_browser",
    ),
    Mutant(
        "a customer changes a locked detail on the billing page",
        "app/onboarding/billing/details/form.py",
        'asked | dict.fromkeys(customer.locked or (), "locked")',
        "asked",
        f"{LATER}::test_is_not_changed_on_the_billing_page",
    ),
    Mutant(
        "an earlier hand-over decides what is locked",
        "app/onboarding/handovers/arrival/entering.py",
        "    customers.lock(session, customer_id, details.locked_fields, made_at=handover.made_at)\n",
        "    # first",
        f"{LATER}::test_the_newest_hand_over_decides",
    ),
    Mutant(
        "a hand-over locks a value that the form refuses",
        FORM,
        "    if problems:\n",
        "    if problems is None:\n",
        "tests/onboarding/handovers/test_unfit.py::test_refuses_a_token",
    ),
    Mutant(
        "a form takes a token that we did not see",
        FORM,
        "token = _signer().loads(kept, max_age=int(FORM_LIFETIME.total_seconds()))",
        "token = kept",
        f"{REFUSED}::test_a_form_with_a_token_in_place_of_our_own_word",
    ),
    Mutant(
        "a hand-over leads to a host that is not allowed",
        RETURNS,
        "not is_on_host(url, after.allowed_return_hosts)",
        "not url",
        f"{WAY_BACK}::TestAllowedHosts::test_take_only_them",
    ),
    Mutant(
        "the profile names the place of a hand-over",
        RETURNS,
        "if url == after.return_url:",
        "if url:",
        f"{WAY_BACK}::test_has_no_name_when_the_hand_over_gave_none",
    ),
    Mutant(
        "the signature leaves the status out",
        RETURNS,
        "said = [customer.id, status.value,",
        'said = [customer.id, "saved" if status else "",',
        f"{WAY_BACK}::TestSigned::test_tells_one_status_from_another",
    ),
    Mutant(
        "the console has a cookie that a frame can send",
        EMBEDDING,
        "if request.path.startswith(UNFRAMED):",
        "if not request.path:",
        f"{FRAMES}::TestListed::test_the_console_and_the_api_may_never_be_framed",
    ),
    Mutant(
        "listed origins may frame the console",
        EMBEDDING,
        "if request.blueprint in BLUEPRINTS else ()",
        "if request else ()",
        f"{FRAMES}::TestListed::test_the_console_and_the_api_may_never_be_framed",
    ),
    Mutant(
        "a single-use hand-over makes a second customer in its browser",
        "app/onboarding/handovers/actions.py",
        "if (used.customer_id, used.browser_hash) != (customer_id, browser_hash):",
        "if used.browser_hash != browser_hash:",
        "tests/onboarding/handovers/test_single_use.py::test_makes_no_second_customer_in_a_second_tab",
    ),
    Mutant(
        "a hand-over gives access while its link is revoked",
        "app/onboarding/handovers/arrival/entering.py",
        "links.find(session, token, lock=True) or",
        "links.find(session, token) or",
        "tests/onboarding/handovers/test_known_customer.py::test_gives_nobody_access_whose_link_is_revoked_at_the_same_moment",
        "postgresql",
    ),
    Mutant(
        "another link keeps the access of a revoked hand-over",
        "app/onboarding/links/follow.py",
        "sa.case((_is_let_in_by_handover(), Signup.link_id), else_=bound.excluded.link_id)",
        "bound.excluded.link_id",
        "tests/onboarding/handovers/test_known_customer.py::test_revoking_its_link_closes_the_billing_page_after_another_link_was_followed",
    ),
    Mutant(
        "the access of a newer hand-over outlives its link",
        "app/onboarding/handovers/arrival/entering.py",
        "is_of_handover=True",
        "is_of_handover=False",
        "tests/onboarding/handovers/test_known_customer.py::test_revoking_its_newest_link_closes_the_billing_page",
    ),
    Mutant(
        "an edit under way undoes a lock of a hand-over",
        "app/onboarding/billing/details/actions.py",
        " or customer.locked != locked:",
        ":",
        "tests/onboarding/handovers/test_locked_later.py::test_is_not_changed_by_who_sends_the_billing_form_at_that_moment",
    ),
    Mutant(
        "a refused edit still offers what is locked by now",
        "app/onboarding/billing/details/pages.py",
        "        form = _form(access, formdata=request.form)  # other fields may be locked by now\n",
        "",
        "tests/onboarding/handovers/test_locked_later.py::test_is_not_changed_by_who_sends_the_billing_form_at_that_moment",
    ),
    Mutant(
        "an earlier hand-over undoes a newer lock",
        "app/customers/actions.py",
        "is_newest = made_at is not None and held_at is not None and made_at > held_at",
        "is_newest = made_at is not None",
        "tests/onboarding/handovers/test_locked_later.py::test_an_older_hand_over_unlocks_nothing",
    ),
    Mutant(
        "a hand-over of an unknown age undoes a lock",
        "app/customers/actions.py",
        "is_newest = made_at is not None and held_at is not None and made_at > held_at",
        "is_newest = held_at is not None and said_at > held_at",
        "tests/onboarding/handovers/test_locked_later.py::test_an_older_hand_over_unlocks_nothing",
    ),
    Mutant(
        "an earlier hand-over makes way for the one before the newest",
        "app/customers/actions.py",
        "locked_at=max(said_at, held_at or said_at),",
        "locked_at=said_at,",
        "tests/onboarding/handovers/test_locked_later.py::test_a_hand_over_between_two_others_unlocks_nothing",
    ),
    Mutant(
        "a sign-up forgets when its hand-over was made",
        "app/onboarding/signup/actions.py",
        "        customer.locked_at = handover.made_at or utcnow()\n",
        "",
        "tests/onboarding/handovers/test_locked_later.py::test_the_newest_hand_over_decides",
    ),
    Mutant(
        "a hand-over of the API does not say when it was made",
        "app/onboarding/handovers/tokens.py",
        '        "iat": utcnow().timestamp(),\n',
        "",
        "tests/onboarding/handovers/test_locked_later.py::test_hand_overs_of_the_api_say_when_they_were_made",
    ),
    Mutant(
        "a hand-over shows the brand of another company",
        "app/onboarding/handovers/arrival/entering.py",
        "profile=portal.current_slug())\n    note",
        "profile=links.profile_of(session, customer_id))\n    note",
        "tests/onboarding/billing/test_brand.py::test_somebody_whom_the_companys_app_hands_over",
    ),
    Mutant(
        "two admins at once make one secret too many",
        "app/onboarding/handovers/signing_secrets.py",
        "    _wait_for_other_admins(session)\n",
        "",
        "tests/console/handovers/test_secrets.py::test_refuses_one_that_another_admin_leaves_no_room_for",
        database="postgresql",
    ),
)
