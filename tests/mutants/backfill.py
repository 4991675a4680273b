"""Reading Stripe's list of events for those that no webhook brought."""

from tests.mutants.mutant import Mutant

BACKFILL = "app/sync/backfill.py"

MUTANTS = (
    Mutant(
        "the list is read without an overlap",
        BACKFILL,
        "app.created_at - MAX_CLOCK_SKEW) - overlap",
        "app.created_at - MAX_CLOCK_SKEW)",
        "tests/sync/backfill/test_finds.py::test_finds_an_event_that_stripe_listed_later_than_younger_ones",
    ),
    Mutant(
        "the first events are missed when our clock is ahead",
        BACKFILL,
        "(row.cursor or app.created_at - MAX_CLOCK_SKEW)",
        "(row.cursor or app.created_at)",
        "tests/sync/backfill/test_finds.py::test_finds_the_first_events_though_our_clock_is_ahead",
    ),
    Mutant(
        "the next walk goes back to the last page only",
        BACKFILL,
        "row.head or page.newest_at",
        "page.newest_at",
        "tests/sync/backfill/test_finds.py::test_goes_back_the_next_time_to_the_newest_event_of_all_its_pages",
    ),
    Mutant(
        "a slow walk is stored over its successor",
        BACKFILL,
        "    if row.lease != token:\n",
        "    if row.lease is None and token is None:\n",
        "tests/sync/backfill/test_one_at_a_time.py::test_that_was_too_slow_stores_nothing_over_its_successor",
    ),
    Mutant(
        "a slow walk that fails takes its successor's lease",
        BACKFILL,
        "    if row.lease == token:\n",
        "    if row.app_id:\n",
        "tests/sync/backfill/test_one_at_a_time.py::test_that_was_too_slow_and_failed_leaves_its_successor_alone",
    ),
    Mutant(
        "a slow walk releases its successor's lease",
        "app/sync/leases.py",
        "self._key == key, self._model.lease == token",
        "self._key == key, sa.true()",
        "tests/sync/backfill/test_one_at_a_time.py::test_that_was_too_slow_does_not_give_back_what_is_its_successors",
    ),
    Mutant(
        "a walk begins again that another has just ended",
        BACKFILL,
        "*([_is_due(now)] if scheduled else [])",
        "*([] if scheduled else [])",
        "tests/sync/backfill/test_one_at_a_time.py::test_is_not_begun_again_by_whoever_has_only_seen_that_it_was_due",
    ),
    Mutant(
        "events that Stripe lists no longer are never made up for",
        BACKFILL,
        "        if is_gap:\n",
        "        if is_gap and is_begun:\n",
        "tests/sync/backfill/test_trouble.py::test_after_more_than_stripe_remembers_looks_at_everybody_who_is_not_done",
    ),
    Mutant(
        "a short walk makes the next one skip events",
        BACKFILL,
        "    if full:  #",
        "    if row.app_id:  #",
        "tests/sync/backfill/test_requested.py::TestAsked::test_a_shorter_look_skips_nothing_for_the_next_one",
    ),
    Mutant(
        "pages of the list cost no budget",
        BACKFILL,
        "is_allowed = throttle.reserve(session, app_id, now, calls=1)",
        "is_allowed = throttle.reserve(session, app_id, now, calls=0)",
        "tests/sync/test_budget.py::test_pages_of_the_list_are_counted_too",
    ),
    Mutant(
        "a dry run stores what it finds",
        BACKFILL,
        "    if dry_run:\n",
        "    if dry_run and since is app:\n",
        "tests/sync/backfill/test_requested.py::TestAsked::test_only_counts_when_it_is_told_to",
    ),
    Mutant(
        "a walk never recovers when Stripe forgot its place",
        BACKFILL,
        'if "starting_after" not in error.fields:',
        "if error.detail:",
        "tests/sync/backfill/test_trouble.py::test_starts_again_when_stripe_has_forgotten_where_it_stood",
    ),
    Mutant(
        "a key that is rejected for the list is not noted",
        BACKFILL,
        "apps.note_key_state(session, apps.by_id(session, app.id), accepted=False)",
        "apps.note_key_state(session, apps.by_id(session, app.id), accepted=True)",
        "tests/sync/backfill/test_trouble.py::test_notes_that_the_key_is_rejected",
    ),
    Mutant(
        "the list is not read where Stripe can't reach us",
        "app/core/config/__init__.py",
        'return self.webhooks == "off" or not (self.is_simulated or is_public(self.public_url))',
        "return False",
        "tests/sync/backfill/test_requested.py::test_is_the_only_source_where_stripe_cant_reach_us",
    ),
    Mutant(
        "a dry run takes the events of another app for its own",
        "app/webhooks/store.py",
        "Event.app_id == app.id, Event.id.in_(listed)",
        "Event.id.in_(listed)",
        "tests/sync/backfill/test_requested.py::TestAsked::test_counts_what_only_another_app_has_received",
    ),
    Mutant(
        "a quiet account has its whole list read again and again",
        "app/sync/backfill.py",
        "max(filter(None, (row.cursor, row.head)), default=None)",
        "row.head",
        "tests/sync/backfill/test_finds.py::test_keeps_its_place_when_stripe_lists_nothing",
    ),
    Mutant(
        "the missed events of all apps are fetched in place of one's",
        "app/sync/backfill.py",
        "Backfill, Backfill.app_id == app_id, next_run_at=utcnow()",
        "Backfill, next_run_at=utcnow()",
        "tests/console/inbox/test_actions.py::TestActions::test_missed_events_of_one_app_are_fetched_alone",
    ),
)
