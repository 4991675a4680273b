"""Check Stripe's answers: the key, the webhook endpoint, deliveries. This asks and writes nothing."""

from collections.abc import Iterator

from app.apps import missing_permissions, permission_names, webhook_url
from app.doctor.findings import Finding, amber, green, red, unknown
from app.doctor.orphans import Orphans
from app.doctor.snapshot import Snapshot
from app.gateway import API_VERSION, EVENTS, StripeKeyRejected

MAX_SKEW, MAX_ACCEPTED_SKEW = 30, 240  # seconds; a signature is refused after 300
ENDPOINT_LIMIT = 16  # https://docs.stripe.com/webhooks
EVERY_EVENT = "*"
DEFAULT_VERSION = "the account's default"
AREAS = {"account": "The account", "endpoints": "The webhook", "events": "Deliveries", "customers": "Orphans"}


def findings(snapshot: Snapshot) -> list[Finding]:
    """Return findings about the key and Stripe's answers. Say nothing about what we could not ask."""
    return [_key(snapshot), *_answers(snapshot)]


def _key(snapshot: Snapshot) -> Finding:
    if snapshot.key_is_unreadable:
        return red(
            "key",
            "The API key can't be opened",
            "No key in GANGWAY_ENCRYPTION_KEYS opens it, so we can't call Stripe and nobody can save"
            " a payment method. Add the former encryption key again after the new one, or enter the app's API"
            " key again.",
        )
    if isinstance(snapshot.silence, StripeKeyRejected):
        return red(
            "key",
            "Stripe rejects the API key",
            f"The key {snapshot.app.masked_api_key} was revoked, rolled or has expired. Until the app has a"
            " new key, nobody can save a payment method, and we can't compare our records with Stripe.",
        )
    if snapshot.silence is not None:
        return red(
            "answer",
            "Stripe did not answer",
            f"{snapshot.silence.detail} Nobody can save a payment method while this lasts, and we could"
            " not check anything at Stripe. Examine again in a minute.",
        )
    return green("key", "Stripe accepts the API key", f"{snapshot.app.masked_api_key} works.")


def _answers(snapshot: Snapshot) -> Iterator[Finding]:
    if snapshot.key_is_unreadable or isinstance(snapshot.silence, StripeKeyRejected):
        return
    if snapshot.account is not None:
        yield _account(snapshot)
    if snapshot.permissions is not None:
        yield _permissions(snapshot)
    if snapshot.endpoints is not None:
        yield from _endpoint(snapshot)
        yield _duplicates(snapshot)
    if snapshot.sent is not None:
        yield _deliveries(snapshot)
    if snapshot.skew is not None:
        yield _clock(snapshot.skew)
    if snapshot.orphan_customers is not None:
        yield _orphan_customers(snapshot.orphan_customers)
    for what, words in snapshot.refused.items():
        yield amber(f"unseen_{what}", f"{AREAS.get(what, what)}: not checked", words)


def _account(snapshot: Snapshot) -> Finding:
    assert snapshot.account is not None
    app, found = snapshot.app, snapshot.account
    if found.id != app.stripe_account_id or found.livemode is not app.livemode:
        return red(
            "account",
            "The key opens another account",
            f"It opens {found.id} in {_mode(livemode=found.livemode)} mode; this app belongs to"
            f" {app.stripe_account_id} in {_mode(livemode=app.livemode)} mode, and its customers are"
            " there. Give the app a key of that account.",
        )
    name = f"{found.name}, " if found.name else ""
    return green(
        "account", "Account and mode match", f"{name}{found.id} in {_mode(livemode=app.livemode)} mode."
    )


def _permissions(snapshot: Snapshot) -> Finding:
    assert snapshot.permissions is not None
    missing = missing_permissions(snapshot.permissions)
    if missing:
        return red(
            "permissions",
            "The key lacks permissions",
            f"Missing: {permission_names(missing)}. Whatever needs them fails. Add them to the key in "
            "Stripe's Dashboard, or replace it.",
        )
    unchecked = [permission for permission in snapshot.permissions if permission.ok is None]
    if unchecked:
        return amber(
            "permissions",
            "Some permissions could not be checked",
            f"Unchecked: {permission_names(unchecked)}. {unchecked[0].words}",
        )
    optional = [permission for permission in snapshot.permissions if permission.ok is False]
    but = (
        f"Only optional permissions are missing: {permission_names(optional)}."
        if optional
        else "Nothing is missing."
    )
    return green("permissions", "The key has the permissions that it needs", but)


def _endpoint(snapshot: Snapshot) -> Iterator[Finding]:
    endpoint = snapshot.endpoint
    if snapshot.is_pulling:
        yield green(
            "endpoint",
            "The settings turn webhooks off",
            "GANGWAY_WEBHOOKS is off, or Stripe can't reach GANGWAY_PUBLIC_URL. The worker reads Stripe's"
            " list of events instead.",
        )
        return
    if not snapshot.app.webhook_endpoint_id:
        yield red(
            "endpoint",
            "There is no webhook endpoint",
            "When this app was installed, Stripe could not reach this portal. Now it can, and a webhook would"
            f" report every change at once.{_room(snapshot)}",
            _make_room(snapshot, "Create one"),
        )
        return
    if endpoint is None:
        yield red(
            "endpoint",
            "The webhook endpoint is gone",
            f"Stripe has no endpoint {snapshot.app.webhook_endpoint_id}: somebody deleted it. We"
            f" only learn later, by asking, what happens at Stripe.{_room(snapshot)}",
            _make_room(snapshot, "Create it again"),
        )
        return
    yield green("endpoint", "The webhook endpoint exists", endpoint.id)
    if endpoint.enabled:
        yield green("enabled", "The endpoint is enabled", "Stripe sends events to it.")
    else:
        yield red(
            "enabled",
            "The endpoint is disabled",
            "Somebody disabled it in Stripe's Dashboard, or Stripe did after days of failures."
            " We only learn later, by asking, what happens at Stripe.",
            "Enable it",
        )
    yield _url(snapshot, endpoint.url)
    yield _events(endpoint.events)
    if endpoint.api_version == API_VERSION:
        yield green("version", "Events have the right version", API_VERSION)
    else:
        yield amber(
            "version",
            "Events have another version",
            f"They have {endpoint.api_version or DEFAULT_VERSION}, and we read {API_VERSION}, so every"
            " event costs a call to Stripe. Stripe can't change the version of an endpoint: a new one takes"
            " over, and both are accepted for a day.",
            "Create one with the right version",
        )


def _room(snapshot: Snapshot) -> str:
    """Say whether Stripe allows another endpoint, and how to make room."""
    if len(snapshot.endpoints or ()) < ENDPOINT_LIMIT:
        return ""
    full = f" The account has all {ENDPOINT_LIMIT} endpoints that Stripe allows"
    if snapshot.orphaned_endpoints:
        return f"{full}, and {len(snapshot.orphaned_endpoints)} of them are our orphans."
    return f"{full}, and none is our orphan: delete one in Stripe's Dashboard first."


def _make_room(snapshot: Snapshot, label: str) -> str:
    is_full = len(snapshot.endpoints or ()) >= ENDPOINT_LIMIT and snapshot.orphaned_endpoints
    return f"Delete the orphans, then {label[0].lower()}{label[1:]}" if is_full else label


def _url(snapshot: Snapshot, url: str) -> Finding:
    wanted = webhook_url(snapshot.public_url, snapshot.app.id)
    if url == wanted:
        return green("url", "Events go to this portal", url)
    return red(
        "url",
        "Events go elsewhere",
        f"Stripe sends them to {url}. GANGWAY_PUBLIC_URL is {snapshot.public_url}, so they"
        f" should go to {wanted}.",
        "Set the URL",
    )


def _events(subscribed: tuple[str, ...]) -> Finding:
    missing = sorted(set(EVENTS) - set(subscribed)) if EVERY_EVENT not in subscribed else []
    if missing:
        return red(
            "events",
            "Not all events are sent",
            f"Missing: {', '.join(missing)}. We only learn later, by asking, what they report.",
            "Set the events",
        )
    if set(subscribed) - set(EVENTS):
        return amber(
            "events",
            "Unneeded events are sent",
            "We receive, store and ignore them.",
            "Set the events",
        )
    return green("events", "The right events are sent", f"{len(EVENTS)} types.")


def _duplicates(snapshot: Snapshot) -> Finding:
    if snapshot.orphaned_endpoints:
        return amber(
            "duplicates",
            "There are orphaned endpoints",
            f"{', '.join(endpoint.id for endpoint in snapshot.orphaned_endpoints)} lead to this portal,"
            " but we don't have their secrets, so we refuse their events. An interrupted installation"
            " leaves such endpoints.",
            "Delete them",
        )
    return green("duplicates", "No orphaned endpoints", "No other endpoint at Stripe leads to this portal.")


def _deliveries(snapshot: Snapshot) -> Finding:
    assert snapshot.sent is not None
    failed = [event for event in snapshot.sent if event.id not in snapshot.arrived and event.pending > 0]
    if not failed and not snapshot.is_proved:
        return unknown(
            "deliveries",
            "Do events arrive from Stripe?",
            f"Not proved yet. None has arrived since the last change of the webhook.{_young(snapshot)}",
        )
    if not failed:
        lately = f"{len(snapshot.arrived)} arrived in the last day.{_young(snapshot)}"
        return green("deliveries", "Events arrive from Stripe", lately)
    latest = snapshot.sent[0]
    if latest in failed:
        return red(
            "deliveries",
            "Events from Stripe don't arrive",
            f"{len(failed)} of the last {len(snapshot.sent)} events, including the newest, were not"
            " accepted. Either Stripe can't reach this portal, or it signs with a secret that we don't have,"
            " because somebody rolled it in Stripe's Dashboard. A new secret repairs the latter. The worker"
            " fetches missed events from Stripe's list.",
            "Roll the signing secret",
        )
    return amber(
        "deliveries",
        "Some events did not arrive",
        f"{len(failed)} of the last {len(snapshot.sent)} were not accepted, but later ones were. Stripe"
        " retries, and the worker fetches missed events from Stripe's list.",
        "Fetch them now",
    )


def _young(snapshot: Snapshot) -> str:
    many = snapshot.on_their_way
    return f" {many} new ones may be on their way. Examine again in a moment." if many else ""


def _clock(skew: float) -> Finding:
    seconds = round(abs(skew))
    direction = "behind" if skew > 0 else "ahead of"
    words = f"This machine's clock is {seconds} seconds {direction} Stripe's."
    if seconds > MAX_ACCEPTED_SKEW:
        return red(
            "clock",
            "The clock is wrong",
            f"{words} We refuse signed events that seem older than five minutes or from the future."
            " Set the clock by NTP.",
        )
    if seconds > MAX_SKEW:
        return amber("clock", "The clock is off", f"{words} We refuse events from five minutes on.")
    return green("clock", "The clock is right", f"Within {MAX_SKEW} seconds of Stripe's.")


def _orphan_customers(orphans: Orphans) -> Finding:
    if orphans.customers:
        return amber(
            "orphan_customers",
            "Stripe has orphaned customers",
            f"{len(orphans.customers)}, such as {', '.join(orphans.customers[:3])}: made for this app, but"
            " we have no record of them. They do no harm. Check and delete them in Stripe's Dashboard.",
        )
    among = f"all {orphans.checked}" if orphans.is_all else f"the newest {orphans.checked}"
    return green("orphan_customers", "No orphaned customers", f"Checked {among} customers at Stripe.")


def _mode(*, livemode: bool) -> str:
    return "live" if livemode else "test"
