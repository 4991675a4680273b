"""When Stripe is asked and how often: the schedule, the budget, drift, and the worker."""

from tests.mutants.mutant import Mutant

THROTTLE = "app/sync/throttle.py"
SCHEDULE = "app/sync/schedule.py"
RECONCILE = "app/sync/reconcile.py"
WORKER = "app/sync/worker.py"
ORPHANS = "app/doctor/orphans.py"

ATTENTION = "app/console/overview/attention.py"

MUTANTS = (
    Mutant(
        "blocked customers are counted as abandoned, too",
        ATTENTION,
        "elsewhere[status]",
        "0",
        "tests/sync/test_too_many_declines.py::test_an_operator_is_told",
    ),
    Mutant(
        "the oldest checkout session decides when to look next",
        SCHEDULE,
        "youngest = sessions[0]",
        "youngest = sessions[-1]",
        "tests/sync/test_next_look.py::test_the_young_one_decides_when_there_is_an_old_one_too",
    ),
    Mutant(
        "the pull interval is ignored",
        SCHEDULE,
        "interval = timedelta(seconds=settings().pull_interval)",
        "interval = timedelta(seconds=600)",
        "tests/sync/test_next_look.py::test_a_young_checkout_session_is_looked_at_each_interval",
    ),
    Mutant(
        "the end of a checkout session is noticed late",
        SCHEDULE,
        'if youngest.status == "open":',
        'if youngest.status == "complete":',
        "tests/sync/test_next_look.py::test_its_end_is_looked_at_soon_after",
    ),
    Mutant(
        "a payer is tried sooner than Stripe asks for",
        SCHEDULE,
        "return timedelta(seconds=max(wait, asked_for or 0.0))",
        "return timedelta(seconds=wait)",
        "tests/sync/test_failures.py::test_are_not_repeated_before_the_time_that_stripe_asks_for",
    ),
    Mutant(
        "failed tries are repeated every two seconds",
        SCHEDULE,
        "min(2.0**attempts, MAX_RETRY_DELAY)",
        "min(2.0, MAX_RETRY_DELAY)",
        "tests/sync/test_failures.py::test_are_repeated_later_and_later",
    ),
    Mutant(
        "all failed tries are repeated in the same instant",
        SCHEDULE,
        "MAX_RETRY_DELAY) * _random.uniform(0.5, 1.0)",
        "MAX_RETRY_DELAY) * 1.0",
        "tests/sync/test_jitter.py::test_differ_within_bounds",
    ),
    Mutant(
        "all looks by the clock come in the same instant",
        SCHEDULE,
        "utcnow() + span * _random.random()",
        "utcnow() + span",
        "tests/sync/test_jitter.py::test_differ_within_bounds",
    ),
    Mutant(
        "an app is asked sooner than Stripe asks for",
        THROTTLE,
        "until = now + timedelta(seconds=max(wait, asked_for or 0.0))",
        "until = now + timedelta(seconds=wait)",
        "tests/sync/test_throttle.py::test_an_app_is_left_alone_as_long_as_stripe_asks",
    ),
    Mutant(
        "the budget for Stripe is not used up",
        THROTTLE,
        "    if rate is not None:\n",
        "    if rate == 0:\n",
        "tests/sync/test_throttle.py::TestWithABudget::test_no_more_is_asked_than_it_allows",
    ),
    Mutant(
        "the unused budget of an hour is spent at once",
        THROTTLE,
        "    if rate is not None:\n        budget.free_at = max(budget.free_at, now - BURST) +",
        "    if rate is not None:\n        budget.free_at = budget.free_at +",
        "tests/sync/test_budget.py::test_what_was_not_asked_for_long_is_not_made_up_for_at_once",
    ),
    Mutant(
        "calls for a waiting person are not charged",
        THROTTLE,
        "if rate is None or calls <= 0:",
        "if rate is None or calls <= 1000:",
        "tests/sync/test_budget.py::test_people_who_wait_for_an_answer_are_counted_too",
    ),
    Mutant(
        "an old answer ends a pause that Stripe asked for",
        THROTTLE,
        "sa.case((RateBudget.is_throttled, RateBudget.paused_until), else_=None)",
        "None",
        "tests/sync/test_throttle.py::test_a_pause_that_stripe_asked_for_is_not_ended_by_an_older_answer",
    ),
    Mutant(
        "an app that pauses holds up another app",
        THROTTLE,
        "sa.or_(RateBudget.paused_until.is_(None), RateBudget.paused_until <= now),",
        "sa.true(),",
        "tests/sync/test_throttle.py::test_an_app_that_pauses_does_not_hold_up_another",
    ),
    Mutant(
        "drift is reported while the event may be on its way",
        RECONCILE,
        "Payer.verified_at <= now - DRIFT_DELAY",
        "Payer.verified_at <= now",
        "tests/sync/test_reconcile.py::test_what_a_timer_found_is_not_told_while_its_event_may_be_on_its_way",
    ),
    Mutant(
        "drift is not counted",
        RECONCILE,
        "throttle.count_drifts(session, app_id, sum(",
        "throttle.count_drifts(session, app_id, 0 * sum(",
        "tests/sync/test_reconcile.py::test_what_a_timer_found_is_told_when_no_event_comes",
    ),
    Mutant(
        "payers are compared before it is time",
        RECONCILE,
        "        Payer.verify_at <= now,\n",
        "",
        "tests/sync/test_reconcile.py::test_nobody_is_compared_before_it_is_time",
    ),
    Mutant(
        "each worker chooses payers to compare",
        THROTTLE,
        "    budget.verified_at = now\n",
        "    budget.verified_at = None\n",
        "tests/sync/test_reconcile.py::test_a_few_are_chosen_each_minute_whoever_looks",
    ),
    Mutant(
        "a payer that can't be compared is chosen each minute",
        RECONCILE,
        ".values(verify_at=now + REVERIFY_AFTER)",
        ".values(verify_at=now)",
        "tests/sync/test_reconcile.py::test_who_was_given_up_again_is_left_alone_for_a_day",
    ),
    Mutant(
        "a renewed card is announced as expiring",
        "app/sync/expiry.py",
        "[payer for payer in found if _may_have_been_renewed(payer, now)]",
        "[payer for payer in found if payer.id is None]",
        "tests/sync/test_status.py::test_of_a_card_that_the_network_renewed_is_not_announced",
    ),
    Mutant(
        "a stopped worker keeps its leases",
        WORKER,
        "for lease in [lease for leases in list(self._held.values()) for lease in leases]:",
        "for lease in []:",
        "tests/sync/test_worker.py::test_gives_back_what_it_cant_finish_when_it_is_told_to_stop",
    ),
    Mutant(
        "a worker that starts looks for no missed events",
        WORKER,
        "            request_all(session)\n",
        "",
        "tests/sync/test_worker.py::test_looks_for_missed_events_as_soon_as_it_starts",
    ),
    Mutant(
        "a killed worker counts as running",
        "app/sync/heartbeat.py",
        "WorkerHeartbeat.seen_at > utcnow() - MAX_SILENCE",
        "WorkerHeartbeat.seen_at <= utcnow()",
        "tests/sync/test_heartbeat.py::test_a_worker_that_was_killed_is_missed_and_later_forgotten",
    ),
    Mutant(
        "a customer made just now counts as an orphan",
        ORPHANS,
        " and customer.created_at < old",
        "",
        "tests/doctor/test_orphans.py::test_does_not_take_one_that_may_be_recorded_yet",
    ),
    Mutant(
        "a customer of another portal counts as an orphan",
        ORPHANS,
        'if customer.metadata.get("om_app_id") == app.id and',
        "if",
        "tests/doctor/test_orphans.py::test_does_not_take_one_of_another_portal",
    ),
    Mutant(
        "payers that have waited longest come last",
        "app/sync/payer_leases.py",
        "Payer.due_at <= now).order_by(Payer.due_at)",
        "Payer.due_at <= now).order_by(Payer.due_at.desc())",
        "tests/sync/test_leases.py::test_goes_to_who_has_waited_longest",
    ),
    Mutant(
        "the pauses of a broken app do not grow",
        "app/sync/throttle.py",
        "min(2.0 ** (budget.failures - 1), MAX_PAUSE)",
        "min(1.0, MAX_PAUSE)",
        "tests/sync/test_throttle.py::test_pauses_grow_while_an_app_is_broken",
    ),
)
