"""The page of one customer: what an operator sees of each state, and why."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from app import apps, db, doctor, journal, links, payers, sync, webhooks
from app.db import new_id
from app.simulator import DEFAULT_API_KEY, Simulator, accounts
from tests.conftest import PORTAL
from tests.support.api import Api, api
from tests.support.browser import Element, Page
from tests.support.desk import operator, post, sign_in
from tests.support.sync_people import Person, World

__all__ = ["api"]

CLOCK = datetime(2030, 6, 10, 12, 0, tzinfo=UTC)


@pytest.fixture
def world(app: Flask, simulator: Simulator, clock: time_machine.Traveller) -> World:
    """Everybody, on a day on which cards that are good to 12/34 are not near their end."""
    clock.move_to(CLOCK)
    simulator.advance(CLOCK.timestamp() - simulator.clock.now())
    return World(app, simulator)


def look(person: Person | str, app: Flask, role: str = "operator") -> Page:
    """The page of a person, or of a customer's id, as somebody of that role sees it."""
    customer_id = person if isinstance(person, str) else person.payer.customer_id
    return Page.of(sign_in(app, role).get(f"/operator/customers/{customer_id}"))


def check(person: Person, app: Flask) -> None:
    """Press "Check with Stripe now"."""
    post(sign_in(app, "operator"), f"/operator/customers/{person.payer.customer_id}/check")


def section(page: Page, heading: str) -> Element:
    """The part of a page under a heading."""
    return next(
        found for found in page.all("section") if any(title.text == heading for title in found.all("h2")[:1])
    )


def diagnosis(page: Page) -> str:
    """What is said to be the matter."""
    return section(page, "Diagnosis").text


def tags(element: Element) -> list[str]:
    """The words in pills."""
    return [found.text for found in element.all("span") if found.get("class").startswith("tag ")]


class TestDiagnosis:
    def test_of_a_customer_for_whom_nothing_was_begun(self, app: Flask, api: Api) -> None:
        customer = api.post("/customers", {"name": "Ada", "key": "ada"}).get_json()

        page = look(customer["id"], app)

        assert "Not begun No page of Stripe's was opened" in diagnosis(page)
        assert page.one("section", class_="diagnosis").one("button").text == "Make a link"
        assert "there is no Stripe customer yet" in section(page, "Payment method").text

    def test_of_a_customer_who_is_on_stripes_page(self, app: Flask, person: Person) -> None:
        page = look(person, app)

        assert "On Stripe's page Stripe's page was opened" in diagnosis(page)
        assert "it closes in 1 day" in diagnosis(page)
        assert tags(section(page, "Stripe's pages")) == ["Open"]

    def test_of_a_page_that_has_been_open_for_long(
        self, app: Flask, person: Person, clock: time_machine.Traveller
    ) -> None:
        clock.shift(timedelta(minutes=40))

        page = look(person, app)

        assert "opened 40 minutes ago and is not finished" in diagnosis(page)
        story = section(page, "The story so far")
        assert story.all("li")[0].text.startswith("Stripe's page is open and not finished Overdue since")

    def test_of_a_saved_card(self, app: Flask, world: World) -> None:
        person = world.person()
        person.saves()
        world.settle()

        page = look(person, app)

        assert "Saved Visa •••• 4242 is saved and will be charged." in diagnosis(page)
        methods = section(page, "Payment method")
        assert (
            "valid to the end of 12/2034, is charged. It is the only one that was ever saved." in methods.text
        )
        assert [
            line.all("p")[0].text
            for line in section(page, "The story so far").all("li", class_="story-success")
        ]

    def test_of_a_declined_card(self, app: Flask, world: World) -> None:
        person = world.person()
        person.saves("4000000000009995")
        check(person, app)

        page = look(person, app)

        assert "Declined The bank says there is not enough money on the card. Send a link" in diagnosis(page)
        opened = section(page, "Stripe's pages").text
        assert "Open, last try declined" in opened
        assert "Stripe's words: “Your card has insufficient funds.”" in opened
        assert "card_declined · insufficient_funds" in opened

    def test_of_an_unfinished_3d_secure(self, app: Flask, world: World) -> None:
        person = world.person()
        person.saves("4000002500003155")
        check(person, app)

        page = look(person, app)

        assert "3-D Secure unfinished The bank asked the customer to confirm" in diagnosis(page)
        assert tags(section(page, "Stripe's pages")) == ["Open, 3-D Secure unfinished"]

    def test_of_a_test_payment_on_its_way(self, app: Flask, world: World, simulator: Simulator) -> None:
        person = world.person()
        simulator.pay_by_bank(person.page_id, verify="later")
        check(person, app)

        page = look(person, app)

        assert "Waiting for the bank The form was finished" in diagnosis(page)
        assert "a small test payment goes to the bank account" in diagnosis(page)
        assert tags(section(page, "Stripe's pages")) == ["Finished, bank awaited"]
        assert "The bank has not confirmed yet Awaited" in section(page, "The story so far").text

    def test_of_a_test_payment_that_came_back(self, app: Flask, world: World, simulator: Simulator) -> None:
        person = world.person()
        simulator.pay_by_bank(person.page_id, verify="later")
        simulator.verify_microdeposits(person.page_id, ok=False)
        check(person, app)

        page = look(person, app)

        assert "Declined The bank sent the test payment back" in diagnosis(page)
        assert tags(section(page, "Stripe's pages")) == ["Finished, then refused"]

    def test_of_a_mandate_that_is_pending_and_then_ended(self, app: Flask, world: World) -> None:
        person = world.person()
        person.saves()
        world.settle()

        pending = diagnosis(self._with_mandate(person, "pending", app))
        inactive = diagnosis(self._with_mandate(person, "inactive", app))

        assert (
            "Waiting for the bank The bank has not confirmed the mandate for Visa •••• 4242 yet." in pending
        )
        assert "Can't be debited Visa •••• 4242 is saved, but the bank ended the mandate" in inactive

    def test_of_a_bank_that_takes_its_time(self, app: Flask, world: World, simulator: Simulator) -> None:
        person = world.person()
        simulator.pay_by_bank(person.page_id, verify="later")
        check(person, app)
        with app.app_context():
            opened = db.session().get_one(type(person.pages[0]), person.page_id)
            opened.next_action = None
            db.session().commit()

        assert "the bank has not confirmed yet. Nothing can be charged" in diagnosis(look(person, app))

    def test_of_an_abandoned_page(self, app: Flask, world: World, simulator: Simulator) -> None:
        person = world.person()
        simulator.expire_session(person.page_id)
        world.settle()

        page = look(person, app)

        assert "Abandoned Stripe's page was opened" in diagnosis(page)
        assert "and expired unused" in diagnosis(page)
        assert tags(section(page, "Stripe's pages")) == ["Expired unused"]

    def test_of_a_page_abandoned_after_a_decline(
        self, app: Flask, world: World, simulator: Simulator
    ) -> None:
        person = world.person()
        person.saves("4000000000000127")
        simulator.expire_session(person.page_id)
        check(person, app)

        assert "Before that a try was declined: The security code (CVC) is wrong." in diagnosis(
            look(person, app)
        )

    def test_of_a_card_that_expires_soon_and_of_one_that_has(
        self, app: Flask, world: World, clock: time_machine.Traveller
    ) -> None:
        person = world.person()
        person.saves(expiry="06 / 30")
        world.settle()

        soon = diagnosis(look(person, app))
        clock.move_to(datetime(2030, 7, 2, tzinfo=UTC))
        over = diagnosis(look(person, app))

        assert "Expires soon Visa •••• 4242 is valid until the end of 06/2030." in soon
        assert (
            "Expired Visa •••• 4242 was valid until the end of 06/2030 and can't be charged any more." in over
        )

    def test_of_a_card_detached_at_stripe(self, app: Flask, world: World, simulator: Simulator) -> None:
        person = world.person()
        person.saves()
        world.settle()
        simulator.detach_payment_method(person.methods[0].id)
        world.settle()

        page = look(person, app)

        assert "Removed at Stripe Visa •••• 4242 was detached at Stripe" in diagnosis(page)
        assert "somebody removed it in Stripe's Dashboard or customer portal" in diagnosis(page)
        assert "1 removed" in section(page, "Payment method").text

    def test_of_a_default_taken_back_at_stripe(self, app: Flask, world: World, simulator: Simulator) -> None:
        person = world.person()
        person.saves()
        world.settle()
        simulator.choose_default(person.stripe_id, None)
        world.settle()

        page = look(person, app)

        assert "No method is chosen A payment method is attached at Stripe" in diagnosis(page)
        assert (
            "None of the attached methods is the one that is charged" in section(page, "Payment method").text
        )
        assert "Charge this one" in section(page, "Payment method").text

    def test_of_a_customer_deleted_at_stripe(self, app: Flask, world: World, simulator: Simulator) -> None:
        person = world.person()
        person.saves()
        world.settle()
        simulator.delete_customer(person.stripe_id)
        world.settle()

        page = look(person, app)

        assert "Deleted at Stripe Stripe no longer has this customer: somebody deleted cus_" in diagnosis(
            page
        )
        assert "none: there is nothing to look at" in section(page, "At Stripe").text
        assert "Attach another" in diagnosis(page)

    def test_of_a_stripe_customer_without_anything(self, app: Flask, api: Api, world: World) -> None:
        customer = api.post("/customers", {"name": "Ada", "key": "ada"}).get_json()
        made = world.stripe("POST", "/v1/customers", name="Ada")
        client = sign_in(app, "operator")
        with app.app_context():
            app_id = apps.find(db.session()).id
        fields = {"app_id": app_id, "stripe_customer_id": made["id"], "confirmed": "yes"}
        post(client, f"/operator/customers/{customer['id']}/attach", **fields)

        assert "No payment method yet There is a Stripe customer" in diagnosis(look(customer["id"], app))

    def test_of_a_revoked_key(self, app: Flask, world: World, simulator: Simulator) -> None:
        person = world.person()
        person.saves()
        world.settle()
        accounts.revoke_key(simulator.books, DEFAULT_API_KEY)
        check(person, app)

        page = look(person, app)
        known = diagnosis(page)

        assert known.startswith("Diagnosis Stripe rejects our API key It was revoked or rolled at Stripe")
        assert "What stands here is from" in known
        assert (
            page.one("a", class_="button secondary compact", href=self._app_page(app)).text == "See the app"
        )
        assert "Key rejected" in tags(section(page, "At Stripe"))

    def test_of_an_installation_without_stripe(self, bare_app: Flask) -> None:
        client = sign_in(bare_app, "admin")
        customer_id = new_id()
        post(client, "/operator/customers/new", customer_id=customer_id, name="Ada", key="ada")

        page = Page.of(client.get(f"/operator/customers/{customer_id}"))

        assert "No Stripe app is installed" in diagnosis(page)
        assert "Install Stripe" in diagnosis(page)

    def test_of_two_cards(self, app: Flask, world: World) -> None:
        person = world.person()
        person.saves()
        world.settle()
        world.attach_card(person)
        check(person, app)

        page = look(person, app)

        assert "Two methods are attached Visa •••• 4242 is the one that is charged." in diagnosis(page)
        assert "It was saved last, and what is saved last is charged (policy: replace)." in diagnosis(page)
        assert "Mastercard •••• 4444" in section(page, "Payment method").text

    def test_of_events_that_never_came(self, app: Flask, world: World, clock: time_machine.Traveller) -> None:
        person = world.person()
        person.saves()
        world.lose_events()
        clock.shift(timedelta(minutes=20))
        world.work()

        at_first = section(look(person, app), "The story so far").text
        clock.shift(timedelta(minutes=6))
        with app.app_context():
            sync.tend(db.session())
        page = look(person, app)

        assert "No event of Stripe's has told of this yet; our own look found it Awaited" in at_first
        assert "Saved Visa •••• 4242" in diagnosis(page)
        assert "Events were missed A look" in diagnosis(page)
        assert "found what no event had told: Setup finished at Stripe; Payment method saved" in diagnosis(
            page
        )
        assert "They were missed while this portal could not be reached" in diagnosis(page)
        assert section(page, "Diagnosis").all("a", href=self._app_page(app))
        assert (
            "No event of Stripe's told of this; our own look found it"
            in section(page, "The story so far").text
        )

    def test_of_events_that_were_fetched_later(self, app: Flask, world: World) -> None:
        person = world.person()
        person.saves()
        world.settle()
        with app.app_context():
            for event in db.session().scalars(sa.select(webhooks.Event)):
                event.origin = "backfill"
            db.session().commit()

        page = look(person, app)

        assert "4 of the events below never came; they were fetched from Stripe's list later." in diagnosis(
            page
        )
        assert "Fetched later" in tags(section(page, "Stripe's events"))

    def test_of_events_that_are_always_fetched(self, app: Flask, world: World) -> None:
        person = world.person()
        person.saves()
        world.settle()
        with app.app_context():
            for event in db.session().scalars(sa.select(webhooks.Event)):
                event.origin = "backfill"
            db.session().commit()
        settings = app.extensions["gangway.settings"]
        app.extensions["gangway.settings"] = settings.model_copy(update={"webhooks": "off"})

        assert "never came" not in diagnosis(look(person, app))

    def test_of_a_webhook_that_was_found_broken(self, app: Flask, world: World, simulator: Simulator) -> None:
        person = world.person()
        simulator.delete_endpoint(simulator.books.webhook_endpoints.snapshot()[0]["id"])
        with app.app_context():
            session = db.session()
            doctor.run(session, apps.find(session), actor="test")
            session.commit()

        page = look(person, app)

        assert "Events were missed What happens at Stripe is seen only when we look." in diagnosis(page)
        assert "The webhook endpoint is gone." in diagnosis(page)

    def test_of_a_webhook_endpoint_that_somebody_deleted(
        self, app: Flask, world: World, simulator: Simulator
    ) -> None:
        person = world.person()
        simulator.delete_endpoint(simulator.books.webhook_endpoints.snapshot()[0]["id"])
        person.saves()
        client = sign_in(app, "operator")

        said = Page.of(
            client.get(post(client, f"/operator/customers/{person.payer.customer_id}/check").location)
        )

        assert "Stripe knew more. Before: On Stripe's page, now Saved (Visa •••• 4242)." in said.text
        assert "The reason why no event told us: The webhook endpoint is gone." in said.text

    def test_of_an_outage_at_stripe(self, app: Flask, world: World, simulator: Simulator) -> None:
        person = world.person()
        simulator.faults.add("500", "GET *", times=9)
        check(person, app)

        page = look(person, app)

        assert "Stripe could not be asked Stripe had a problem of its own." in diagnosis(page)
        assert "The next try is" in diagnosis(page)
        assert "1 failed try" in section(page, "At Stripe").text

    @staticmethod
    def _app_page(app: Flask) -> str:
        with app.app_context():
            return f"/operator/stripe/{apps.find(db.session()).id}"

    @staticmethod
    def _with_mandate(person: Person, status: str, app: Flask) -> Page:
        with app.app_context():
            method = payers.fresh(db.session(), person.payer.id).methods[0]
            method.mandate_status = status
            db.session().commit()
        return look(person, app)


class TestDiagnosisOfALink:
    """How far a link has come, for a customer whom Stripe does not know yet."""

    @pytest.fixture
    def customer_id(self, api: Api) -> str:
        """A customer with nothing but a name."""
        return str(api.post("/customers", {"name": "Ada", "key": "ada"}).get_json()["id"])

    def test_not_opened(self, app: Flask, customer_id: str) -> None:
        self._link(app, customer_id)

        page = look(customer_id, app)

        assert "has not been opened by anybody. If it was lost, renew it below" in diagnosis(page)
        assert "The onboarding link has not been opened yet Awaited" in section(page, "The story so far").text

    def test_opened(self, app: Flask, customer_id: str) -> None:
        token = self._link(app, customer_id)
        self._press(app, token, "opened")

        page = look(customer_id, app)

        assert "The link was opened" in diagnosis(page)
        assert "but its button was not pressed" in diagnosis(page)

    def test_used_while_stripe_was_away(self, app: Flask, customer_id: str, simulator: Simulator) -> None:
        token = self._link(app, customer_id)
        simulator.faults.add("500", "POST *", times=9)
        self._press(app, token)

        assert "but Stripe's page did not open" in diagnosis(look(customer_id, app))

    def test_refused_by_stripe(self, app: Flask, customer_id: str) -> None:
        token = self._link(app, customer_id)
        self._press(app, token)
        with app.app_context():
            session = db.session()
            journal.note(
                session,
                "checkout.refused",
                actor="visitor",
                customer_id=customer_id,
                app_id=apps.find(session).id,
                reason="Invalid email address: ada",
            )
            payer = payers.all_of_customer(session, customer_id)
            payers.unbind(session, payer[0].app_id, payer[0].customer, actor="test")
            session.commit()

        known = diagnosis(look(customer_id, app))

        assert "Stripe refused to open its page" in known
        assert "Invalid email address: ada" in known

    def test_expired_and_revoked(self, app: Flask, customer_id: str, clock: time_machine.Traveller) -> None:
        self._link(app, customer_id)
        clock.shift(timedelta(days=31))

        expired = look(customer_id, app)
        post(
            sign_in(app, "operator"),
            f"/operator/customers/{customer_id}/links/{self._link_id(app, customer_id)}/revoke",
        )
        revoked = look(customer_id, app)

        assert "unused. Renew it below and send it." in diagnosis(expired)
        assert tags(section(expired, "Onboarding links")) == ["Expired"]
        assert "no link leads to one" in diagnosis(revoked)
        assert tags(section(revoked, "Onboarding links")) == ["Revoked"]

    def _link(self, app: Flask, customer_id: str) -> str:
        client = sign_in(app, "operator")
        page = Page.of(post(client, f"/operator/customers/{customer_id}/links"))
        return page.one("input", id="once")["value"].removeprefix(PORTAL)

    def _link_id(self, app: Flask, customer_id: str) -> str:
        with app.app_context():
            return links.of_customer(db.session(), customer_id)[0].id

    def _press(self, app: Flask, path: str, button: str = "") -> None:
        client = app.test_client()
        page = Page.of(client.get(path))
        token = page.all("input", name="csrf_token")[0]["value"]
        client.post(f"{path}/{button}" if button else path, data={"csrf_token": token})


class TestWhyItIsCharged:
    """The reason why one of several methods is charged, from whoever chose it."""

    @pytest.fixture
    def person(self, world: World, app: Flask) -> Person:
        """Somebody with two cards, of which the first is charged."""
        person = world.person()
        person.saves()
        world.settle()
        world.attach_card(person)
        check(person, app)
        return person

    def test_an_operator_chose_it(self, app: Flask, person: Person) -> None:
        grace = operator(app, "operator", name="Grace Hopper")
        other = next(row for row in person.methods if row.id != person.payer.default_method_id)
        client = sign_in(app, who=grace)
        path = f"/operator/customers/{person.payer.customer_id}"

        post(client, f"{path}/charge", app_id=other.app_id, method_id=other.id)

        assert "Grace Hopper chose it here." in diagnosis(look(person, app))

    def test_a_program_chose_it(self, app: Flask, person: Person, api: Api) -> None:
        other = next(row for row in person.methods if row.id != person.payer.default_method_id)
        api.put(
            f"/customers/{person.payer.customer_id}/stripe",
            {"stripeCustomerId": person.stripe_id, "stripeDefaultPaymentMethodId": other.id},
        )

        assert "A program chose it, through the API." in diagnosis(look(person, app))

    def test_somebody_chose_it_in_the_dashboard(self, app: Flask, person: Person, world: World) -> None:
        other = next(row for row in person.methods if row.id != person.payer.default_method_id)
        world.choose_default(person, other.id)
        world.settle()

        assert "It was chosen in Stripe's Dashboard" in diagnosis(look(person, app))

    def test_the_others_are_gone(
        self, app: Flask, person: Person, world: World, simulator: Simulator
    ) -> None:
        other = next(row for row in person.methods if row.id != person.payer.default_method_id)
        world.choose_default(person, other.id)
        world.settle()
        simulator.detach_payment_method(next(row.id for row in person.methods if row.id != other.id))
        world.settle()

        assert "It is the only one that is attached." in section(look(person, app), "Payment method").text

    def test_the_first_was_kept(self, app: Flask, person: Person) -> None:
        settings = app.extensions["gangway.settings"]
        app.extensions["gangway.settings"] = settings.model_copy(update={"payment_method_policy": "keep"})

        assert "It was saved first" in diagnosis(look(person, app))


def test_shows_everything_that_is_known_of_the_customer(app: Flask, api: Api) -> None:
    body = {
        "name": "Ärzte & Söhne 🎉",
        "key": "k-1",
        "usageAttribution": {"subjectKeys": [f"subject-{n:02}" for n in range(12)]},
        "primaryEmail": "ada@example.com",
        "currency": "EUR",
        "description": "A long-standing one",
        "billingAddress": {
            "line1": "Main Street 1",
            "postalCode": "10115",
            "city": "Berlin",
            "country": "DE",
        },
        "metadata": {"tier": "gold"},
    }
    customer = api.post("/customers", body).get_json()

    page = look(customer["id"], app, "viewer")

    assert page.h1 == "Ärzte & Söhne 🎉"
    details = section(page, "Details").text
    for told in (
        "ada@example.com",
        "k-1",
        "subject-09",
        "and 2 more",
        "EUR",
        "Main Street 1, 10115 Berlin, DE",
    ):
        assert told in details
    assert "A long-standing one" in details
    assert "tier gold" in details


def test_a_viewer_sees_no_button_that_acts(app: Flask, world: World) -> None:
    person = world.person()
    person.saves("4000000000009995")
    check(person, app)

    page = look(person, app, "viewer")

    forms = [form["action"] for form in page.one("main").all("form")]
    assert forms == []
    assert "Edit" not in [link.text for link in page.all("a")]


def test_ids_of_stripes_lead_to_where_they_can_be_seen(app: Flask, world: World) -> None:
    person = world.person()

    page = look(person, app)

    known = {link.text.split(" ")[0]: link["href"] for link in page.all("a", rel="noreferrer")}
    assert known[person.stripe_id] == "http://127.0.0.1:12111/_control"
    assert {person.page_id, person.pages[0].setup_intent_id} <= known.keys()


def test_says_when_stripe_was_asked_last_and_is_asked_next(app: Flask, world: World) -> None:
    person = world.person()
    before = section(look(person, app), "At Stripe").text
    check(person, app)

    after = section(look(person, app), "At Stripe").text

    assert "Last checked never yet Next look in 2 minutes" in before
    assert "Last checked 1 second ago" in after or "Last checked 0 seconds ago" in after


def test_an_overdue_look_is_named(app: Flask, world: World, clock: time_machine.Traveller) -> None:
    person = world.person()
    clock.shift(timedelta(minutes=10))

    page = look(person, app)

    assert "Overdue" in tags(section(page, "At Stripe"))
    assert "A look at Stripe is overdue Overdue" in section(page, "The story so far").text


def test_events_that_nobody_dealt_with_are_named(
    app: Flask, world: World, simulator: Simulator, clock: time_machine.Traveller
) -> None:
    person = world.person()
    person.saves()
    while simulator.deliver_due():
        pass
    with app.app_context():
        webhooks.sort(db.session())
    clock.shift(timedelta(minutes=5))

    page = look(person, app)

    assert "events of Stripe's are not dealt with yet Overdue" in section(page, "The story so far").text
    assert "Waiting" in tags(section(page, "Stripe's events"))


def test_a_long_story_leads_to_the_journal(app: Flask, world: World) -> None:
    person = world.person()
    client = sign_in(app, "operator")
    for _ in range(27):
        post(client, f"/operator/customers/{person.payer.customer_id}/links")

    page = look(person, app)

    story = section(page, "The story so far")
    assert story.one("a", href=f"/operator/journal?customer={person.payer.customer_id}")
    assert len(story.all("li", class_="story-info") + story.all("li", class_="story-warning")) >= 25
    assert "are not shown" in section(page, "Onboarding links").text


def test_an_app_besides_the_default_one_is_shown_apart(
    app: Flask, world: World, simulator: Simulator
) -> None:
    person = world.person()
    person.saves()
    world.settle()
    accounts.add_account(simulator.books, "acct_second", int(CLOCK.timestamp()))
    accounts.add_key(simulator.books, "sk_test_second", account="acct_second")
    with app.app_context():
        session = db.session()
        apps.install(
            session, "sk_test_second", public_url=PORTAL, name="Second", takes_default=True, actor="test"
        )
        session.commit()

    page = look(person, app)

    assert "Not begun" in diagnosis(page)
    assert section(page, "Payment method in Second")
    assert "Visa" in section(page, "Payment method in Stripe").text


def test_an_unknown_customer_is_not_found_in_the_frame_of_the_desk(app: Flask) -> None:
    client = sign_in(app, "viewer")

    answers = [client.get(f"/operator/customers/{id_}") for id_ in (new_id(), "no-id", "%00")]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    page = Page.of(answers[0])
    assert page.h1 == "Not Found"
    assert "There is no such customer here." in page.text
    assert page.one("nav", id="desk-nav")


def test_an_address_that_is_none_is_told_without_the_menu(app: Flask) -> None:
    answer = app.test_client().get("/operator/no/such/page")

    assert answer.status_code == 404
    assert Page.of(answer).all("nav") == []
