"""The worker examines each app every hour and after anything odd; what is red shows wherever people look."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from app import apps, doctor
from app.audit import Entry
from app.core import db
from app.simulator import DEFAULT_ACCOUNT, DEFAULT_API_KEY, Simulator, revoke_key
from app.sync import RateBudget
from app.webhooks import Event
from tests.support.browser import Page
from tests.support.console import sign_in
from tests.support.installed_apps import Installed
from tests.support.numbers import read
from tests.support.rows import Rows


def examine(app: Flask) -> int:
    """One look of the worker."""
    with app.app_context():
        return doctor.examine_due(db.session())


def red(app: Flask, own: Installed) -> set[str]:
    """The codes of what is red in the numbers."""
    found = read(app.test_client().get("/metrics").text)
    names = ("key", "endpoint", "enabled", "permissions", "answer")
    return {code for code in names if found.get(f"gangway_app_finding{{app={own.id},code={code},state=red}}")}


def test_each_app_is_examined_once_an_hour(
    app: Flask, own: Installed, clock: time_machine.Traveller, rows: Rows
) -> None:
    looks = [examine(app), examine(app)]
    clock.shift(timedelta(minutes=59))
    looks.append(examine(app))
    clock.shift(timedelta(minutes=2))
    looks.append(examine(app))

    assert looks == [1, 0, 0, 1]
    assert {entry.actor for entry in rows(Entry) if entry.kind == "app.examined"} == {"worker"}


@pytest.mark.parametrize(
    ("what", "code"), [("deleted", "endpoint"), ("disabled", "enabled"), ("revoked", "key")]
)
def test_trouble_shows_on_the_overview_and_in_the_numbers(
    what: str, code: str, app: Flask, own: Installed, simulator: Simulator
) -> None:
    if what == "deleted":
        simulator.delete_endpoint(own.endpoint)
    elif what == "disabled":
        simulator.change_endpoint(own.endpoint, enabled=False)
    else:
        revoke_key(simulator.store, DEFAULT_API_KEY)

    examine(app)

    assert red(app, own) == {code}
    overview = Page.of(sign_in(app, "viewer").get("/operator/")).one("main").text
    assert "Needs attention" in overview


def test_something_odd_brings_the_next_look_forward(
    app: Flask, own: Installed, clock: time_machine.Traveller
) -> None:
    examine(app)
    with app.app_context():
        db.session().merge(RateBudget(app_id=own.id, drifts=3))
        db.session().commit()
    clock.shift(timedelta(minutes=1))
    at_once = examine(app)
    clock.shift(timedelta(minutes=5))

    assert (at_once, examine(app), examine(app)) == (0, 1, 0)


def test_an_outage_is_looked_at_again_soon(
    app: Flask, own: Installed, clock: time_machine.Traveller, simulator: Simulator
) -> None:
    simulator.fault_settings.change({"outage": "503"})
    examine(app)
    during = red(app, own)
    simulator.fault_settings.reset()
    clock.shift(timedelta(minutes=6))
    examine(app)

    assert (during, red(app, own)) == ({"answer"}, set())


def test_nothing_is_green_before_a_signed_event_has_arrived(
    app: Flask, own: Installed, clock: time_machine.Traveller
) -> None:
    def states() -> dict[str, str]:
        with app.app_context():
            session = db.session()
            examination = doctor.latest(session, own.id)
            assert examination is not None
            return {found.code: found.state.value for found in doctor.findings_of(examination)}

    proved_by_an_event = {"public_url", "last_event", "deliveries", "fetched"}
    examine(app)
    before = states()
    with app.app_context():
        session = db.session()
        session.add(Event(app_id=own.id, id="evt_1", type="customer.updated", payload="{}"))
        session.commit()
    clock.shift(timedelta(minutes=61))
    examine(app)
    after = states()

    unknown = {code for code, state in before.items() if state == "unknown"}
    assert unknown == proved_by_an_event | {"backfill"}
    assert {after[code] for code in proved_by_an_event} == {"green"}


def test_orphans_make_room_for_the_endpoint_that_is_missing(
    app: Flask, own: Installed, simulator: Simulator
) -> None:
    url = simulator.store.webhook_endpoints[own.endpoint]["url"]
    simulator.delete_endpoint(own.endpoint)
    for number in range(16):
        made = {"id": f"we_{number}", "url": url, "created": 1, "metadata": {"managed_by": "gangway"}}
        made |= {
            "object": "webhook_endpoint",
            "enabled_events": ["*"],
            "status": "enabled",
            "livemode": False,
        }
        made |= {"api_version": None, "livemode": False, "application": None, "description": None}
        simulator.store.webhook_endpoints.put(f"we_{number}", made, DEFAULT_ACCOUNT)

    with app.app_context():
        session = db.session()
        [installed] = apps.installed(session)
        [found] = [one for one in doctor.examine(session, installed) if one.code == "endpoint"]
        is_repaired = doctor.repair(session, installed, "endpoint", actor="test")
        now = apps.by_id(session, own.id).webhook_endpoint_id

    assert found.repair == "Delete the orphans, then create it again"
    assert "16 of them are our orphans" in found.detail
    assert is_repaired
    assert list(simulator.store.webhook_endpoints) == [now]
