"""Check our own side of a snapshot: secrets, events, backfill. This asks and writes nothing."""

from collections.abc import Mapping
from datetime import timedelta

from app.doctor.findings import Finding, amber, green, red, unknown
from app.doctor.snapshot import LATE_AFTER, Snapshot

STUCK_AFTER = timedelta(hours=1)
EMAIL_STUCK_AFTER = timedelta(minutes=10)  # a one-time code ends after fifteen


def findings(snapshot: Snapshot) -> list[Finding]:
    """Return one finding for each check."""
    checks = (
        *(_database, _secrets, _rolling, _public_url, _proxies, _last_event),
        *(_backlog, _dead, _email, _fetched, _backfill, _default),
    )
    return [check(snapshot) for check in checks]


def _database(snapshot: Snapshot) -> Finding:
    if snapshot.database_doubt is None:
        return green("database", "The database can be used", "Its tables fit, and its user may change them.")
    return red("database", "The database can't be used", snapshot.database_doubt)


def _secrets(snapshot: Snapshot) -> Finding:
    if snapshot.secret_is_unreadable:
        return red(
            "secrets",
            "A signing secret can't be opened",
            "No key in GANGWAY_ENCRYPTION_KEYS opens it, so events that Stripe signs with it are refused."
            " A new secret, sealed with the current key, replaces it.",
            "Make a new secret",
        )
    if old := snapshot.under_old_keys:
        return amber(
            "secrets",
            "Secrets need an old encryption key",
            f"Only an old key in GANGWAY_ENCRYPTION_KEYS opens {sum(old.values())} of the stored secrets"
            f" ({_tables(old)}). Run `gangway keys reseal`, then remove the old keys.",
        )
    return green("secrets", "Secrets open", "The encryption keys open the signing secrets of this app.")


def _rolling(snapshot: Snapshot) -> Finding:
    former = [secret for secret in snapshot.secrets if secret.retire_at is not None]
    overdue = [
        secret for secret in former if secret.retire_at is not None and secret.retire_at <= snapshot.now
    ]
    if overdue:
        return amber(
            "rolling",
            "A former endpoint is still there",
            "Its secret is no longer accepted, but we could not remove the endpoint at Stripe yet, so its"
            " events are refused and Stripe reports failures.",
            "Remove it",
        )
    if former:
        until = max(secret.retire_at for secret in former if secret.retire_at is not None)
        return green(
            "rolling",
            "The signing secret is rolling over",
            f"The former secret is accepted until {until:%Y-%m-%d %H:%M} UTC. Then its endpoint is removed.",
        )
    age = (snapshot.now - snapshot.secrets[0].created_at).days if snapshot.secrets else 0
    return green("rolling", "One signing secret is in use", f"It is {_age(age)} old.")


def _age(days: int) -> str:
    return "less than a day" if days < 1 else "a day" if days == 1 else f"{days} days"


def _tables(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{table}: {count}" for table, count in counts.items())


def _public_url(snapshot: Snapshot) -> Finding:
    if snapshot.url_is_reachable and snapshot.is_pulling:
        return green(
            "public_url",
            "Stripe doesn't need to reach this portal",
            "The settings turn webhooks off: the worker reads Stripe's list of events.",
        )
    if snapshot.url_is_reachable and snapshot.is_proved:
        return green(
            "public_url",
            "Stripe can reach this portal",
            f"A signed event arrived at {snapshot.public_url} since the last change of the webhook.",
        )
    if snapshot.url_is_reachable:
        return unknown(
            "public_url",
            "Can Stripe reach this portal?",
            f"Not proved yet. {snapshot.public_url} looks reachable. The first signed event proves it.",
        )
    say = red if snapshot.app.livemode else amber
    return say(
        "public_url",
        "Stripe can't reach this portal",
        f"Stripe can't call {snapshot.public_url} over https, so it delivers no events, and the worker has to"
        " ask Stripe. Set GANGWAY_PUBLIC_URL to a public https address.",
    )


def _proxies(snapshot: Snapshot) -> Finding:
    if snapshot.proxy_doubt is None:
        return green("proxies", "Visitors are counted separately", "Limits count each address.")
    return amber("proxies", "All visitors may count as one", snapshot.proxy_doubt)


def _last_event(snapshot: Snapshot) -> Finding:
    if snapshot.last_webhook is None and not snapshot.is_pulling:
        return unknown(
            "last_event", "No event yet", "The first one arrives when the first customer saves a card."
        )
    if snapshot.last_webhook is None:
        return green(
            "last_event", "No events are expected", "The worker reads Stripe's list of events instead."
        )
    return green(
        "last_event",
        "Events arrive",
        f"The last one arrived at {snapshot.last_webhook:%Y-%m-%d %H:%M:%S} UTC.",
    )


def _backlog(snapshot: Snapshot) -> Finding:
    if snapshot.late_since is None:
        return green("backlog", "No backlog", "No event waits for more than five minutes.")
    say = red if snapshot.now - snapshot.late_since > STUCK_AFTER else amber
    return say(
        "backlog",
        "Events wait",
        f"{snapshot.late} events are waiting, the oldest since {snapshot.late_since:%Y-%m-%d %H:%M} UTC."
        " Either no worker runs (GANGWAY_WORKER_THREADS, gangway worker), or Stripe doesn't answer.",
    )


def _dead(snapshot: Snapshot) -> Finding:
    if snapshot.dead == 0:
        return green("dead", "No failed events", "Every event was processed.")
    return red(
        "dead",
        "Events failed",
        f"{snapshot.dead} failed too often, and nothing retries them, so their customers may look wrong."
        " Retry them when the cause is gone. The events page shows what failed.",
        "Retry them",
    )


def _email(snapshot: Snapshot) -> Finding:
    since = snapshot.email_since
    if since is None or snapshot.now - since <= LATE_AFTER:
        detail = (
            "None has waited for more than five minutes." if snapshot.sends_email else "It is not set up."
        )
        return green("email", "No email waits", detail)
    say = red if snapshot.now - since > EMAIL_STUCK_AFTER else amber
    cause = (
        "Either sending fails, and the log says why under message_not_sent, or no worker runs"
        " (GANGWAY_WORKER_THREADS, gangway worker)."
        if snapshot.sends_email
        else "Email is no longer set up."
    )
    return say(
        "email",
        "Email waits",
        f"The oldest has waited since {since:%Y-%m-%d %H:%M} UTC, and one-time codes end after 15 minutes."
        f" {cause}",
    )


def _fetched(snapshot: Snapshot) -> Finding:
    if snapshot.is_pulling:
        return green("fetched", "No webhook is needed", "The worker reads Stripe's list of events instead.")
    if not snapshot.fetched and not snapshot.is_proved:
        return unknown(
            "fetched",
            "Do webhooks deliver all events?",
            "Not proved yet. None has arrived since the last change of the webhook.",
        )
    if not snapshot.fetched:
        return green("fetched", "Webhooks deliver all events", "None had to be fetched in the last day.")
    return amber(
        "fetched",
        "Events had to be fetched",
        f"{snapshot.fetched} events of the last day never arrived and came from Stripe's list, the latest at"
        f" {snapshot.fetched_at:%Y-%m-%d %H:%M} UTC. Either Stripe could not reach this portal, or the"
        " webhook is broken at Stripe.",
    )


def _backfill(snapshot: Snapshot) -> Finding:
    state = snapshot.backfill
    if state is None or state.last_run_at is None:
        if snapshot.now - snapshot.app.created_at < STUCK_AFTER:
            return unknown(
                "backfill",
                "Are missed events fetched?",
                "Not proved yet. The worker looks for them as soon as it starts.",
            )
        return amber(
            "backfill",
            "Nobody has looked for missed events",
            "The worker does this when it runs.",
            "Fetch missed events now",
        )
    when = f"{state.last_run_at:%Y-%m-%d %H:%M} UTC"
    if state.last_error:
        return amber(
            "backfill",
            "Missed events could not be fetched",
            f"Last run at {when}. It failed: {state.last_error}",
            "Fetch missed events now",
        )
    if snapshot.now - state.next_run_at > STUCK_AFTER:
        return amber(
            "backfill",
            "Nobody looks for missed events",
            f"Last run at {when}, and the next one is overdue. Is a worker running?",
            "Fetch missed events now",
        )
    return green("backfill", "Missed events are fetched", f"Last run at {when}.")


def _default(snapshot: Snapshot) -> Finding:
    if snapshot.default is None:
        return red(
            "default",
            "There is no default app",
            "New customers get an error, because no app takes their payment method.",
            "Make this one the default",
        )
    if snapshot.default.id == snapshot.app.id:
        return green("default", "This is the default app", "Customers pay through it.")
    return green("default", "Another app is the default", f"Customers pay through {snapshot.default.name}.")
