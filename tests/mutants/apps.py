"""Installed Stripe accounts: keys, webhook endpoints, rolled secrets, the gateway and the doctor."""

from tests.mutants.mutant import Mutant

ENDPOINTS = "app/apps/endpoints.py"
KEYS = "app/apps/keys.py"
ROLLING = "app/apps/rolling.py"
INSTALL = "app/apps/install.py"
PENDING = "app/apps/pending.py"
GATEWAY = "app/gateway/client.py"
ERRORS = "app/gateway/errors.py"
STRIPE_CHECKS = "app/doctor/stripe_checks.py"

MUTANTS = (
    Mutant(
        "an endpoint of another program is deleted",
        ENDPOINTS,
        'return endpoint.metadata.get("managed_by") == MANAGED_BY and endpoint',
        "return endpoint",
        "tests/apps/test_install_retried.py::test_leaves_the_endpoints_of_others_alone",
    ),
    Mutant(
        "an endpoint is deleted before it can be recorded",
        ENDPOINTS,
        "return now - endpoint.created_at > MIN_AGE",
        "return now >= endpoint.created_at",
        "tests/doctor/test_endpoint.py::TestStrays::test_may_be_about_to_be_recorded_while_they_are_young",
    ),
    Mutant(
        "the loser of two installations leaves its endpoint",
        INSTALL,
        "        if endpoint:\n            endpoints.delete(",
        "        if endpoint is None:\n            endpoints.delete(",
        "tests/apps/test_install_retried.py::test_overtaken_by_another_removes_its_own_endpoint",
    ),
    Mutant(
        "a live key is taken where Stripe can't reach us",
        INSTALL,
        "if is_live(api_key) and not is_public(public_url):",
        "if is_live(api_key) and not public_url:",
        "tests/apps/test_install_refused.py::test_refuses_a_live_key_for_a_portal_that_stripe_cannot_reach",
    ),
    Mutant(
        "an uninstalled app keeps its key",
        INSTALL,
        'app.is_default, app.api_key_sealed = utcnow(), False, ""',
        "app.is_default = utcnow(), False",
        "tests/apps/test_uninstall.py::TestUninstall::test_removes_the_webhook_and_every_secret",
    ),
    Mutant(
        "a key of another account is taken",
        KEYS,
        "if found.id != app.stripe_account_id:",
        "if found.id is None:",
        "tests/console/stripe/test_key.py::TestKey::test_stays_when_the_new_one_does_not_fit",
    ),
    Mutant(
        "a key without its rights is taken",
        KEYS,
        "    if missing:\n",
        "    if missing is None:\n",
        "tests/console/stripe/test_key.py::TestKey::test_stays_when_the_new_one_does_not_fit",
    ),
    Mutant(
        "a rejected key is noted again and again",
        KEYS,
        "    if app.status != status:\n",
        "    if status:\n",
        "tests/sync/test_rejected_keys.py::test_of_the_key_are_noted_once",
    ),
    Mutant(
        "a key is shown whole",
        KEYS,
        'return f"{api_key[:8]}***{api_key[-3:]}"',
        "return api_key[:32]",
        "tests/apps/test_install.py::test_writes_no_secret_into_the_database",
    ),
    Mutant(
        "the former secret is refused as soon as one is rolled",
        ROLLING,
        "min(secret.retire_at or now + overlap, now + overlap)",
        "now",
        "tests/apps/test_rolling.py::test_accepts_both_secrets_meanwhile",
    ),
    Mutant(
        "the former secret is always accepted",
        "app/apps/receivers.py",
        "or_(SigningSecret.retire_at.is_(None), SigningSecret.retire_at > now),",
        "SigningSecret.id.is_not(None),",
        "tests/apps/test_rolling.py::test_accepts_the_former_secret_no_longer_than_that_though_stripe_is_away",
    ),
    Mutant(
        "the former secret is never forgotten",
        ROLLING,
        "SigningSecret.retire_at <= utcnow(),",
        "SigningSecret.retire_at.is_(None),",
        "tests/apps/test_rolling.py::test_ends_after_a_day",
    ),
    Mutant(
        "two who roll at once roll twice",
        ROLLING,
        "    if app.webhook_endpoint_id != former:",
        "    if app.webhook_endpoint_id is None:",
        "tests/apps/test_rolling.py::test_rolled_twice_at_once_is_rolled_once",
    ),
    Mutant(
        "a typed key is found from another session",
        PENDING,
        "            PendingInstall.browser == browser,\n            PendingInstall.expires_at",
        "            PendingInstall.expires_at",
        "tests/console/test_stripe_install.py::test_keeps_a_key_for_the_session_in_which_it_was_typed",
    ),
    Mutant(
        "a typed key is never deleted",
        PENDING,
        "PendingInstall.expires_at > utcnow(),",
        "PendingInstall.expires_at.is_not(None),",
        "tests/console/test_stripe_install.py::test_waits_a_quarter_of_an_hour_for_the_second_step",
    ),
    Mutant(
        "Retry-After is not read",
        ERRORS,
        "if value.isdecimal() else None",
        "if value.isdecimal() and not value else None",
        "tests/gateway/test_errors.py::test_keeps_for_how_long_stripe_wants_to_be_left_alone",
    ),
    Mutant(
        "what Stripe does not have counts as refused",
        ERRORS,
        'if _code(error) == "resource_missing" and',
        'if _code(error) == "missing" and',
        "tests/gateway/test_errors.py::test_says_that_stripe_has_no_such_thing",
    ),
    Mutant(
        name="what is made has no idempotency key",
        file="app/gateway/customers.py",
        old='params=params, options={"idempotency_key": idempotency_key}',
        new="params=params",
        test="tests/gateway/test_errors.py::test_gives_the_same_thing_for_the_same_key",
    ),
    Mutant(
        name="a failure that Stripe keeps for a key is met for a day",
        file="app/payers/reserve.py",
        old="        except StripeFailureStored as error:",
        new="        except ZeroDivisionError as error:",
        test="tests/checkout/test_reservations.py::TestPayers::test_use_another_key_when_stripe_has_stored_a_failure",
    ),
    Mutant(
        "Stripe is waited for over a minute",
        GATEWAY,
        "TIMEOUTS = (3.05, 8)",
        "TIMEOUTS = (3.05, 80)",
        "tests/gateway/test_client.py::test_waits_for_seconds_not_minutes",
    ),
    Mutant(
        "the SDK sends telemetry",
        GATEWAY,
        "stripe.enable_telemetry = False",
        "stripe.enable_telemetry = True",
        "tests/gateway/test_client.py::test_tells_stripe_nothing_about_itself",
    ),
    Mutant(
        name="a Stripe customer is looked for on one page of the list",
        file="app/gateway/customers.py",
        old="for customer in listed.auto_paging_iter():",
        new="for customer in listed.data:",
        test="tests/checkout/test_forgotten.py::test_among_many_that_were_made_at_that_time",
    ),
    Mutant(
        name="methods behind the first hundred are not read",
        file="app/gateway/customers.py",
        old="return [Method.of(plain(method)) for method in listed.auto_paging_iter()]",
        new="return [Method.of(plain(method)) for method in listed.data]",
        test="tests/sync/test_whole.py::test_keeps_more_methods_than_one_page_of_stripes_list",
    ),
    Mutant(
        "the doctor finds a disabled endpoint well",
        STRIPE_CHECKS,
        "    if endpoint.enabled:\n",
        "    if endpoint.id:\n",
        "tests/doctor/test_endpoint.py::TestEndpoint::test_that_was_disabled_is_enabled",
    ),
    Mutant(
        "the doctor finds an endpoint that leads elsewhere well",
        STRIPE_CHECKS,
        "    if url == wanted:\n",
        "    if url:\n",
        "tests/doctor/test_endpoint.py::TestEndpoint::test_that_leads_elsewhere_is_led_back",
    ),
    Mutant(
        "the doctor does not miss events of the endpoint",
        STRIPE_CHECKS,
        "missing = sorted(set(EVENTS) - set(subscribed)) if",
        "missing = sorted(set(subscribed) - set(subscribed)) if",
        "tests/doctor/test_endpoint.py::TestEndpoint::test_that_sends_other_events_sends_ours",
    ),
    Mutant(
        "the doctor finds another API version well",
        STRIPE_CHECKS,
        "if endpoint.api_version == API_VERSION:",
        "if endpoint.id:",
        "tests/doctor/test_endpoint.py::TestEndpoint::test_of_another_version_is_succeeded_by_one_of_ours",
    ),
    Mutant(
        "the doctor does not see that deliveries fail",
        STRIPE_CHECKS,
        "event.id not in snapshot.arrived and event.pending > 0]",
        "event.id in snapshot.arrived and event.pending > 0]",
        "tests/doctor/test_deliveries.py::TestDeliveries::test_signed_with_a_secret_that_was_rolled_at_stripe",
    ),
    Mutant(
        "the doctor takes fetched events for delivered ones",
        "app/doctor/snapshot.py",
        '                Event.origin == "webhook",\n',
        "",
        "tests/doctor/test_deliveries.py::TestDeliveries::test_that_fail_are_no_better_because_they_were_fetched",
    ),
    Mutant(
        "the doctor trusts a wrong clock",
        STRIPE_CHECKS,
        "    if seconds > MAX_ACCEPTED_SKEW:\n",
        "    if seconds > 10 * MAX_ACCEPTED_SKEW:\n",
        "tests/doctor/test_examine.py::TestClock::test_is_compared_with_stripes",
    ),
    Mutant(
        "the doctor does not see that the key opens another account",
        STRIPE_CHECKS,
        "if found.id != app.stripe_account_id or",
        "if found.id is None or",
        "tests/doctor/test_keys.py::TestKey::test_of_another_account_is_no_key_for_this_app",
    ),
    Mutant(
        "the doctor forgets events that were given up",
        "app/doctor/local_checks.py",
        "    if snapshot.dead == 0:\n",
        "    if snapshot.dead >= 0:\n",
        "tests/doctor/test_deliveries.py::TestInbox::test_has_events_that_were_given_up_tried_again",
    ),
)
