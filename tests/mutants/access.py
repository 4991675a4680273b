"""Who gets in to a public page, for how long, and how often somebody may try."""

from tests.mutants.mutant import Mutant

ONBOARDING = "app/onboarding"
BILLING = f"{ONBOARDING}/billing"
TESTS = "tests/onboarding"
LIMITED = f"{TESTS}/test_limited_pages.py::test_ends_with_a_page_that_says_so"
TERMS = f"{TESTS}/test_profile_form.py::TestConsent::test_a_link_asks_again_about_other_terms"
KNOWN = f"{TESTS}/handovers/test_known_customer.py"
PEOPLE = f"{TESTS}/billing/test_people.py"

MUTANTS = (
    Mutant(
        name="a browser that comes again and again is never forgotten",
        file=f"{BILLING}/access.py",
        old="is_remembered = found.created_at > queries.remembered_since()",
        new="is_remembered = True",
        test=f"{TESTS}/billing/test_page.py::test_forgets_a_browser_that_comes_again_and_again",
    ),
    Mutant(
        name="the access that a code gave gets more days by a setting",
        file=f"{ONBOARDING}/queries.py",
        old="            BillingAccess.expires_at > utcnow(),\n",
        new="",
        test=f"{TESTS}/billing/test_codes.py::test_ends_after_the_days_of_then_and_of_now",
    ),
    Mutant(
        name="a button of a link is pressed without end",
        file=f"{ONBOARDING}/link_pages.py",
        old='@bp.post("/start/<token>")\n@limited(lambda: settings().rate_limit_return)\n',
        new='@bp.post("/start/<token>")\n',
        test=LIMITED,
    ),
    Mutant(
        name="links are guessed without end",
        file=f"{ONBOARDING}/link_pages.py",
        old='@bp.get("/start/<token>")\n@limited(lambda: settings().rate_limit_return)\n',
        new='@bp.get("/start/<token>")\n',
        test=LIMITED,
    ),
    Mutant(
        name="a default is chosen without end",
        file=f"{BILLING}/pages.py",
        old='@bp.post("/default")\n@limited(lambda: settings().rate_limit_return)\n',
        new='@bp.post("/default")\n',
        test=LIMITED,
    ),
    Mutant(
        name="a revoked hand-over ends what a code opened",
        file=f"{ONBOARDING}/links/actions.py",
        old="            BillingAccess.way == HANDOVER,\n",
        new="",
        test=f"{KNOWN}::test_revoking_its_link_leaves_what_a_code_opened",
    ),
    Mutant(
        name="a revoked hand-over ends the access to another customer",
        file=f"{ONBOARDING}/links/actions.py",
        old="            BillingAccess.customer_id == link.customer_id,\n",
        new="",
        test=f"{KNOWN}::test_revoking_its_link_leaves_other_customers",
    ),
    Mutant(
        name="the link of a hand-over works for weeks",
        file=f"{ONBOARDING}/entering.py",
        old="expires_at=handover.expires_at + 2 * handovers.FORM_LIFETIME,",
        new="expires_at=None,",
        test=f"{KNOWN}::test_its_link_ends_soon_after_its_token",
    ),
    Mutant(
        name="a hand-over is noted under the name that it claims",
        file=f"{ONBOARDING}/handovers/tokens.py",
        old='actor=str(claims.get("iss", "")) if is_own else',
        new='actor=str(claims.get("iss", "")) if is_own or "iss" in claims else',
        test=f"{TESTS}/handovers/test_form.py::test_is_noted_under_its_secret_whoever_it_claims_to_come_from",
    ),
    Mutant(
        name="a link leads another browser away",
        file=f"{ONBOARDING}/follow.py",
        old=".where(Signup.customer_id == customer_id, Signup.browser_hash == browser_hash(browser))",
        new=".where(Signup.customer_id == customer_id)",
        test=f"{TESTS}/links/test_api.py::test_leads_no_other_browser_back",
    ),
    Mutant(
        name="a link may live for ten years",
        file=f"{ONBOARDING}/links/schemas.py",
        old="MAX_LIFETIME = timedelta(days=366)",
        new="MAX_LIFETIME = timedelta(days=3660)",
        test=f"{TESTS}/links/test_api.py::test_refuses_what_could_not_be_used",
    ),
    Mutant(
        name="a consent to an older version of the terms counts",
        file=f"{ONBOARDING}/consents.py",
        old="Consent.customer_id == customer_id, Consent.version == version, Consent.kind == kind",
        new="Consent.customer_id == customer_id, Consent.kind == kind",
        test=TERMS,
    ),
    Mutant(
        name="a sentence that was shown counts as a ticked box",
        file=f"{ONBOARDING}/consents.py",
        old="Consent.version == version, Consent.kind == kind",
        new="Consent.version == version",
        test=TERMS,
    ),
    Mutant(
        name="the consent of somebody else counts",
        file=f"{ONBOARDING}/consents.py",
        old="Consent.customer_id == customer_id, Consent.version == version",
        new="Consent.version == version",
        test=TERMS,
    ),
    Mutant(
        name="a decision about a sign-up is not noted",
        file="app/customers/actions.py",
        old='    audit.note(session, f"signup.{decision}", actor=actor, customer_id=customer.id)\n',
        new="",
        test=f"{TESTS}/test_profile_form.py"
        "::TestApproval::test_a_declined_one_is_told_and_may_be_approved_later",
    ),
    Mutant(
        name="an old invitation is accepted without its page",
        file=f"{BILLING}/people.py",
        old="            BillingPerson.expires_at > now,\n",
        new="",
        test=f"{PEOPLE}::test_expires",
    ),
    Mutant(
        name="the invitation of a removed person works",
        file=f"{BILLING}/people.py",
        old="            BillingPerson.removed_at.is_(None),\n            BillingPerson.expires_at > now,\n",
        new="            BillingPerson.expires_at > now,\n",
        test=f"{PEOPLE}::test_leads_nowhere_once_its_person_is_removed",
    ),
    Mutant(
        name="an invitation that is sent again ends as early as the first",
        file=f"{BILLING}/people.py",
        old="person.expires_at = now +",
        new="person.expires_at = person.expires_at or now +",
        test=f"{PEOPLE}::test_works_longer_when_it_is_sent_again",
    ),
    Mutant(
        name="a copy of a forgotten cookie opens the billing page",
        file="app/onboarding/actions.py",
        old="        .where(BillingAccess.browser_hash == browser_hash(nonce))\n",
        new="        .where(sa.false())\n",
        test="tests/onboarding/billing/test_codes.py::test_ends_with_the_browser_forgotten",
    ),
    Mutant(
        name="somebody who comes late counts as an attacker",
        file="app/onboarding/handover_form.py",
        old="    if error.kind == handovers.WRONG:\n",
        new="    if error.kind:\n",
        test="tests/onboarding/handovers/test_refused.py::TestGuesses::test_are_not_those_who_come_late",
    ),
    Mutant(
        name="nobody knows whether a secret is in use",
        file="app/onboarding/handovers/actions.py",
        old="        note_used(session, handover.secret_id)\n",
        new="        pass\n",
        test="tests/onboarding/handovers/test_form.py::test_is_noted_under_its_secret_whoever_it_claims_to_come_from",
    ),
    Mutant(
        name="a stored way back is not checked again",
        file="app/onboarding/returns.py",
        old="if url is None or not _is_good(url):",
        new="if url is None:",
        test="tests/onboarding/handovers/test_way_back.py::test_is_not_where_nobody_may_be_led_any_longer",
    ),
    Mutant(
        name="a link of a test app leads to the live one",
        file="app/apps/connections.py",
        old="place = (App.stripe_account_id == own.stripe_account_id, App.livemode == own.livemode)",
        new="place = (App.stripe_account_id == own.stripe_account_id,)",
        test="tests/onboarding/test_another_app.py::test_never_goes_on_in_the_other_mode",
    ),
    Mutant(
        name="a renewed link leads to another app",
        file="app/onboarding/links/actions.py",
        old="        place = queries.app_of(session, link)\n    except",
        new="        place = None\n    except",
        test="tests/onboarding/links/test_api.py::test_a_renewed_link_stays_in_its_app",
    ),
    Mutant(
        name="a deleted customer is named to who signed it up",
        file="app/onboarding/queries.py",
        old="            customers.Customer.deleted_at.is_(None),\n        )\n        .order_by(Signup",
        new="        )\n        .order_by(Signup",
        test="tests/onboarding/test_another_card.py::test_sign_up_names_no_customer_that_is_gone_or_came_by_a_link",
    ),
    Mutant(
        name="a guest reads who else came by this browser",
        file="app/onboarding/queries.py",
        old="return Signup.link_id.is_(None), Signup.profile.is_not_distinct_from(portal.current_slug())",
        new="return (Signup.profile.is_not_distinct_from(portal.current_slug()),)",
        test="tests/onboarding/test_another_card.py::test_sign_up_names_no_customer_that_is_gone_or_came_by_a_link",
    ),
    Mutant(
        "who comes back from Stripe sees an older card",
        "app/onboarding/queries.py",
        "link_id=opened.id, profile=profile",
        "profile=profile",
        "tests/checkout/test_redirects.py::test_who_comes_back_from_stripe_reads_nothing_of_an_older_card",
    ),
    Mutant(
        "the access that a code gave keeps the days of an earlier setting",
        "app/onboarding/queries.py",
        "            BillingAccess.created_at > remembered_since(),\n",
        "",
        "tests/onboarding/billing/test_codes.py::test_ends_after_the_days_of_then_and_of_now",
    ),
    Mutant(
        "a browser with an old sign-up gets in by no code",
        "app/onboarding/billing/access.py",
        "    return _access(session, granted, Way(granted.way), granted.person_id) if granted else None",
        "    return _access(session, granted, Way.CODE) if granted and not found.form_id else None",
        "tests/onboarding/billing/test_codes.py::test_lets_a_browser_in_again_that_signed_up_long_ago",
    ),
    Mutant(
        "a guest that was forgotten gets in by no link",
        "app/onboarding/follow.py",
        " | ({} if is_of_handover else kept) | again,",
        " | ({} if is_of_handover else kept),",
        "tests/onboarding/billing/test_page.py::test_knows_a_guest_again_that_comes_back_by_a_link",
    ),
    Mutant(
        "a page leads to a customer of a sign-up that is forgotten",
        "app/onboarding/billing/access.py",
        "        Signup.created_at > queries.remembered_since(),\n",
        "",
        "tests/onboarding/billing/test_brand.py::test_pages_lead_to_those_alone_that_open",
    ),
)
