"""What Stripe's answers mean: the key, the webhook endpoint, deliveries. Nothing is asked or written here."""

from collections.abc import Iterator

from app.apps import lacking, listed, webhook_url
from app.doctor.chart import Chart
from app.doctor.findings import Finding, amber, green, red
from app.gateway import API_VERSION, EVENTS, StripeKeyRejected
from app.sync import Orphans

SLOW_CLOCK, WRONG_CLOCK = 30, 240  # seconds; a signature is refused after 300
ENDPOINT_LIMIT = 16  # https://docs.stripe.com/webhooks
EVERY_EVENT = "*"
DEFAULT_VERSION = "the account's default"
UNSEEN = {"account": "The account", "endpoints": "The webhook", "events": "Deliveries", "customers": "Strays"}


def findings(chart: Chart) -> list[Finding]:
    """The key, and what only Stripe can tell. Of what it was not asked, nothing is said."""
    return [_key(chart), *_answers(chart)]


def _key(chart: Chart) -> Finding:
    if chart.key_is_shut:
        return red(
            "key",
            "The API key can't be opened",
            "No key in GANGWAY_ENCRYPTION_KEYS opens it, so that nothing can be asked of Stripe: nobody"
            " can save a payment method. Put the former encryption key back behind the new one, or give"
            " the app its API key again.",
        )
    if isinstance(chart.silence, StripeKeyRejected):
        return red(
            "key",
            "Stripe rejects the API key",
            f"The key {chart.app.masked_api_key} was revoked, rolled or has expired. Until the app has"
            " another, nobody can save a payment method, and no record can be compared with Stripe.",
        )
    if chart.silence is not None:
        return red(
            "answer",
            "Stripe gave no answer",
            f"{chart.silence.detail} Nobody can save a payment method while this lasts, and what stands at"
            " Stripe could not be looked at. Examine again in a minute.",
        )
    return green("key", "Stripe takes the API key", f"{chart.app.masked_api_key} works.")


def _answers(chart: Chart) -> Iterator[Finding]:
    if chart.key_is_shut or isinstance(chart.silence, StripeKeyRejected):
        return
    if chart.account is not None:
        yield _account(chart)
    if chart.rights is not None:
        yield _rights(chart)
    if chart.endpoints is not None:
        yield from _endpoint(chart)
        yield _duplicates(chart)
    if chart.sent is not None:
        yield _deliveries(chart)
    if chart.skew is not None:
        yield _clock(chart.skew)
    if chart.stray_customers is not None:
        yield _stray_customers(chart.stray_customers)
    for what, words in chart.refused.items():
        yield amber(f"unseen_{what}", f"{UNSEEN.get(what, what)}: not looked at", words)


def _account(chart: Chart) -> Finding:
    assert chart.account is not None
    app, found = chart.app, chart.account
    if found.id != app.stripe_account_id or found.livemode is not app.livemode:
        return red(
            "account",
            "The key opens another account",
            f"It opens {found.id} in {_mode(livemode=found.livemode)} mode; this app was installed for"
            f" {app.stripe_account_id} in {_mode(livemode=app.livemode)} mode, and its customers are"
            " there. Give the app a key of its own account.",
        )
    name = f"{found.name}, " if found.name else ""
    return green(
        "account", "Account and mode fit", f"{name}{found.id} in {_mode(livemode=app.livemode)} mode."
    )


def _rights(chart: Chart) -> Finding:
    assert chart.rights is not None
    missing = lacking(chart.rights)
    if missing:
        return red(
            "rights",
            "The key lacks rights",
            f"Missing: {listed(missing)}. What needs them fails. Give the key these rights in Stripe's"
            " Dashboard, or replace it.",
        )
    unknown = [right for right in chart.rights if right.ok is None]
    if unknown:
        return amber(
            "rights", "Not all rights could be tried", f"Untried: {listed(unknown)}. {unknown[0].words}"
        )
    optional = [right for right in chart.rights if right.ok is False]
    but = f"Only what is optional is missing: {listed(optional)}." if optional else "Nothing is missing."
    return green("rights", "The key may do what is needed", but)


def _endpoint(chart: Chart) -> Iterator[Finding]:
    there = chart.endpoint
    if chart.is_pulling:
        yield green(
            "endpoint",
            "Stripe sends no events, by the settings",
            "GANGWAY_WEBHOOKS is off, or Stripe can't reach GANGWAY_PUBLIC_URL. Stripe's list of events is"
            " read instead.",
        )
        return
    if not chart.app.webhook_endpoint_id:
        yield red(
            "endpoint",
            "There is no webhook endpoint",
            "When this app was installed, Stripe could not reach this portal. By now it can, and what happens"
            f" at Stripe would be told here at once.{_room(chart)}",
            _make_room(chart, "Make one"),
        )
        return
    if there is None:
        yield red(
            "endpoint",
            "The webhook endpoint is gone",
            f"Stripe has no endpoint {chart.app.webhook_endpoint_id}: somebody deleted it. Nothing that"
            f" happens at Stripe is told here; it is found only by looking, later.{_room(chart)}",
            _make_room(chart, "Make it again"),
        )
        return
    yield green("endpoint", "The webhook endpoint exists", there.id)
    if there.enabled:
        yield green("enabled", "The endpoint is enabled", "Stripe sends events to it.")
    else:
        yield red(
            "enabled",
            "The endpoint is disabled",
            "Somebody switched it off in Stripe's Dashboard, or Stripe did after days of failures."
            " Nothing that happens at Stripe is told here.",
            "Enable it",
        )
    yield _url(chart, there.url)
    yield _events(there.events)
    if there.api_version == API_VERSION:
        yield green("version", "Events come in the right version", API_VERSION)
    else:
        yield amber(
            "version",
            "Events come in another version",
            f"They come as of {there.api_version or DEFAULT_VERSION}, and {API_VERSION} is read"
            " here, so that every event costs a question to Stripe. Stripe changes no endpoint's version:"
            " a new endpoint takes over, and both are accepted for a day.",
            "Make one in the right version",
        )


def _room(chart: Chart) -> str:
    """Whether Stripe allows another endpoint, and what makes room for one."""
    if len(chart.endpoints or ()) < ENDPOINT_LIMIT:
        return ""
    full = f" The account has all {ENDPOINT_LIMIT} endpoints that Stripe allows"
    if chart.strays:
        return f"{full}, and {len(chart.strays)} of them are orphans of ours."
    return f"{full}, and none is an orphan of ours: delete one in Stripe's Dashboard first."


def _make_room(chart: Chart, label: str) -> str:
    is_full = len(chart.endpoints or ()) >= ENDPOINT_LIMIT and chart.strays
    return f"Delete the orphans, then {label[0].lower()}{label[1:]}" if is_full else label


def _url(chart: Chart, url: str) -> Finding:
    wanted = webhook_url(chart.public_url, chart.app.id)
    if url == wanted:
        return green("url", "Events go to this portal", url)
    return red(
        "url",
        "Events go elsewhere",
        f"Stripe sends them to {url}. This portal is at {chart.public_url} by GANGWAY_PUBLIC_URL, so that"
        f" they should go to {wanted}.",
        "Set the URL",
    )


def _events(subscribed: tuple[str, ...]) -> Finding:
    missing = sorted(set(EVENTS) - set(subscribed)) if EVERY_EVENT not in subscribed else []
    if missing:
        return red(
            "events",
            "Not all events are sent",
            f"Missing: {', '.join(missing)}. What they tell is found only by looking, later.",
            "Set the events",
        )
    if set(subscribed) - set(EVENTS):
        return amber(
            "events",
            "More events are sent than are needed",
            "They are received, stored and ignored: it is only noise.",
            "Set the events",
        )
    return green("events", "The right events are sent", f"{len(EVENTS)} kinds.")


def _duplicates(chart: Chart) -> Finding:
    if chart.strays:
        return amber(
            "duplicates",
            "There are endpoints that nobody knows",
            f"{', '.join(there.id for there in chart.strays)} lead to this portal, and their secrets are"
            " not known here, so that whatever they send is refused. An installation that was cut short"
            " leaves such a one.",
            "Delete them",
        )
    return green("duplicates", "No stray endpoints", "Nothing else at Stripe leads to this portal.")


def _deliveries(chart: Chart) -> Finding:
    assert chart.sent is not None
    failed = [event for event in chart.sent if event.id not in chart.arrived and event.pending > 0]
    if not failed:
        lately = f"{len(chart.arrived)} came in the last day."
        if chart.on_their_way:
            lately += f" {chart.on_their_way} made just now may be on their way: examine again in a moment."
        return green("deliveries", "What Stripe sends arrives", lately)
    latest = chart.sent[0]
    if latest in failed:
        return red(
            "deliveries",
            "What Stripe sends does not arrive",
            f"{len(failed)} of the last {len(chart.sent)} events, the newest among them, were sent and not"
            " taken. Either Stripe does not reach this portal, or it signs with a secret that is not"
            " known here: that is so when somebody rolled the secret in Stripe's Dashboard. A new secret"
            " mends the second. What was missed is fetched from Stripe's list.",
            "Roll the signing secret",
        )
    return amber(
        "deliveries",
        "Some events did not arrive",
        f"{len(failed)} of the last {len(chart.sent)} were sent and not taken; later ones were. Stripe"
        " goes on trying, and what is missed is fetched from Stripe's list.",
        "Fetch them now",
    )


def _clock(skew: float) -> Finding:
    seconds = round(abs(skew))
    direction = "behind" if skew > 0 else "ahead of"
    words = f"This machine's clock is {seconds} seconds {direction} Stripe's."
    if seconds > WRONG_CLOCK:
        return red(
            "clock",
            "The clock is wrong",
            f"{words} Signed events are refused when they seem older than five minutes, or from the"
            " future. Set the clock, by NTP.",
        )
    if seconds > SLOW_CLOCK:
        return amber("clock", "The clock is off", f"{words} From five minutes on, events are refused.")
    return green("clock", "The clock is right", f"Within {SLOW_CLOCK} seconds of Stripe's.")


def _stray_customers(strays: Orphans) -> Finding:
    if strays.customers:
        return amber(
            "stray_customers",
            "Stripe has customers of ours that nobody knows",
            f"{len(strays.customers)}, such as {', '.join(strays.customers[:3])}: made for this app, and no"
            " record here has them. They are harmless and never charged; look at them in Stripe's Dashboard"
            " and delete them there.",
        )
    among = f"all {strays.checked}" if strays.is_all else f"the newest {strays.checked}"
    return green("stray_customers", "No stray customers", f"Looked for among {among} at Stripe.")


def _mode(*, livemode: bool) -> str:
    return "live" if livemode else "test"
