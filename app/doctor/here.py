"""What our own side of the chart means: secrets, events, backfill. Nothing is asked or written here."""

from collections.abc import Mapping
from datetime import timedelta

from app.doctor.chart import Chart
from app.doctor.findings import Finding, amber, green, red, unknown

STUCK = timedelta(hours=1)


def findings(chart: Chart) -> list[Finding]:
    """One for each thing."""
    checks = (
        *(_secrets, _rolling, _public_url, _proxies, _last_event),
        *(_backlog, _dead, _fetched, _backfill, _default),
    )
    return [check(chart) for check in checks]


def _secrets(chart: Chart) -> Finding:
    if chart.secret_is_shut:
        return red(
            "secrets",
            "A signing secret can't be opened",
            "No key in GANGWAY_ENCRYPTION_KEYS opens it, so that what Stripe signs with it is refused. A"
            " new secret, sealed with the present key, takes its place.",
            "Make a new secret",
        )
    if old := chart.under_old_keys:
        return amber(
            "secrets",
            "Secrets need an old encryption key",
            f"Only an old key in GANGWAY_ENCRYPTION_KEYS opens {sum(old.values())} of the stored secrets"
            f" ({_tables(old)}). Run `gangway keys reseal`, then remove the old keys.",
        )
    return green("secrets", "Secrets open", "The encryption keys open the signing secrets of this app.")


def _rolling(chart: Chart) -> Finding:
    former = [secret for secret in chart.secrets if secret.retire_at is not None]
    overdue = [secret for secret in former if secret.retire_at is not None and secret.retire_at <= chart.now]
    if overdue:
        return amber(
            "rolling",
            "A former endpoint is still there",
            "Its secret is accepted no more, but the endpoint could not be removed from Stripe yet, so"
            " that what it sends is refused and Stripe complains.",
            "Remove it",
        )
    if former:
        until = max(secret.retire_at for secret in former if secret.retire_at is not None)
        return green(
            "rolling",
            "The signing secret is being rolled",
            f"The former one is accepted until {until:%Y-%m-%d %H:%M} UTC; then its endpoint is removed.",
        )
    age = (chart.now - chart.secrets[0].created_at).days if chart.secrets else 0
    return green("rolling", "One signing secret is in use", f"It is {age} days old.")


def _tables(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{table}: {count}" for table, count in counts.items())


def _public_url(chart: Chart) -> Finding:
    if chart.url_is_reachable and chart.is_pulling:
        return green(
            "public_url",
            "Stripe need not reach this portal",
            "By the settings, Stripe's list of events is read.",
        )
    if chart.url_is_reachable and chart.is_proved:
        return green(
            "public_url",
            "Stripe can reach this portal",
            f"A signed event arrived at {chart.public_url} since the webhook was last changed.",
        )
    if chart.url_is_reachable:
        return unknown(
            "public_url",
            "Can Stripe reach this portal?",
            f"Nothing has proved it yet. By its name, {chart.public_url} can be reached; the first signed"
            " event proves it.",
        )
    say = red if chart.app.livemode else amber
    return say(
        "public_url",
        "Stripe can't reach this portal",
        f"{chart.public_url} is no address that Stripe can call over https, so that no event is delivered;"
        " what happens is found by asking Stripe. Set GANGWAY_PUBLIC_URL to a public https address.",
    )


def _proxies(chart: Chart) -> Finding:
    if chart.proxy_doubt is None:
        return green("proxies", "Visitors are counted apart", "By the address of each.")
    return amber("proxies", "All visitors may count as one", chart.proxy_doubt)


def _last_event(chart: Chart) -> Finding:
    if chart.last_webhook is None and not chart.is_pulling:
        return unknown(
            "last_event", "No event came yet", "The first one comes when the first customer saves a card."
        )
    if chart.last_webhook is None:
        return green("last_event", "No event is expected", "Stripe's list of events is read instead.")
    return green(
        "last_event", "Events come", f"The last one came at {chart.last_webhook:%Y-%m-%d %H:%M:%S} UTC."
    )


def _backlog(chart: Chart) -> Finding:
    if chart.late_since is None:
        return green("backlog", "Events are worked off", "None waits for more than five minutes.")
    say = red if chart.now - chart.late_since > STUCK else amber
    return say(
        "backlog",
        "Events wait",
        f"{chart.late} wait to be worked off, the oldest since {chart.late_since:%Y-%m-%d %H:%M} UTC."
        " Either no worker runs (GANGWAY_WORKER_THREADS, gangway worker), or Stripe does not answer it.",
    )


def _dead(chart: Chart) -> Finding:
    if chart.dead == 0:
        return green("dead", "No event was given up", "Each came to its end.")
    return red(
        "dead",
        "Events were given up",
        f"{chart.dead} failed too often and are tried no more, so that the customers they tell of may be"
        " shown wrongly. When the cause is gone, try them again; the events page shows what failed.",
        "Try them again",
    )


def _fetched(chart: Chart) -> Finding:
    if not chart.fetched or chart.is_pulling:
        return green("fetched", "Events arrive by themselves", "None had to be fetched in the last day.")
    return amber(
        "fetched",
        "Events had to be fetched",
        f"{chart.fetched} of the last day never arrived and were read from Stripe's list, the latest at"
        f" {chart.fetched_at:%Y-%m-%d %H:%M} UTC. Either this portal could not be reached then, or the"
        " webhook is broken at Stripe.",
    )


def _backfill(chart: Chart) -> Finding:
    state = chart.backfill
    if state is None or state.last_run_at is None:
        if chart.now - chart.app.created_at < STUCK:
            return green("backfill", "Missed events are fetched", "The worker begins within the hour.")
        return amber(
            "backfill",
            "Missed events were never looked for",
            "The worker does so by itself when it runs.",
            "Fetch missed events now",
        )
    when = f"{state.last_run_at:%Y-%m-%d %H:%M} UTC"
    if state.last_error:
        return amber(
            "backfill",
            "Missed events could not be fetched",
            f"Last looked for at {when}. It failed then: {state.last_error}",
            "Fetch missed events now",
        )
    if chart.now - state.next_run_at > STUCK:
        return amber(
            "backfill",
            "Missed events are not looked for",
            f"Last looked for at {when}, and it is overdue: does a worker run?",
            "Fetch missed events now",
        )
    return green("backfill", "Missed events are fetched", f"Last looked for at {when}.")


def _default(chart: Chart) -> Finding:
    if chart.default is None:
        return red(
            "default",
            "No app is the default",
            "Whoever signs up meets an error, because it is not said which app takes the payment method.",
            "Make this one the default",
        )
    if chart.default.id == chart.app.id:
        return green("default", "This is the default app", "Customers pay through it.")
    return green("default", "Another app is the default", f"Customers pay through {chart.default.name}.")
