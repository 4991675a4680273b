"""The list of customers: search, filter, sort, pages, columns."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import apps, customers, db, payers, webhooks
from app.db import utcnow
from app.simulator import Simulator
from app.simulator.accounts import add_account, add_key
from tests.conftest import PORTAL
from tests.support.browser import Element, Page
from tests.support.crowd import add, bill, crowd
from tests.support.desk import sign_in
from tests.support.sync_people import Person, World

LIST = "/operator/customers"


@pytest.fixture
def desk(app: Flask) -> FlaskClient:
    """The browser of somebody who may only look."""
    return sign_in(app, "viewer")


def look(desk: FlaskClient, **query: Any) -> Page:
    """The list, with these arguments in its address."""
    return Page.of(desk.get(LIST, query_string=query))


def rows(page: Page) -> list[Element]:
    """The rows of the table."""
    return page.one("tbody").all("tr") if page.all("tbody") else []


def names(page: Page) -> list[str]:
    """Who is on the page, in order."""
    return [row.one("th").one("a").text for row in rows(page)]


def cells(page: Page) -> dict[str, str]:
    """What the only row says, by column."""
    [row] = rows(page)
    return {cell["data-label"]: cell.text for cell in row.all("td") if cell.get("data-label")}


def delete(app: Flask, customer_id: str) -> None:
    with app.app_context():
        session = db.session()
        payers.delete_customer(session, session.get_one(customers.Customer, customer_id), actor="test")
        session.commit()


class TestRow:
    """What is said of each customer."""

    def test_tells_who_and_how_they_pay(
        self, app: Flask, desk: FlaskClient, person: Person, world: World
    ) -> None:
        person.saves()
        world.settle()

        page = look(desk)

        [row] = rows(page)
        assert row.one("a")["href"] == f"{LIST}/{person.payer.customer_id}"
        assert row.one("th").text == "Ada Lovelace Ltd ada@example.com"
        found = cells(page)
        assert found["Key, subject keys"] == "person-1 Subject keys: person-1-1"
        assert found["Payment"] == "Saved Visa •••• 4242"
        assert found["Checked with Stripe"].endswith("ago")
        assert found["Created"].endswith(f"{utcnow():%H:}", 0, -2)

    def test_shows_a_few_of_many_subject_keys(self, app: Flask, desk: FlaskClient) -> None:
        add(app, "Many", subject_keys=tuple("abcde"))

        assert cells(look(desk))["Key, subject keys"] == "many Subject keys: a, b, c and 2 more"

    def test_says_nothing_where_nothing_is_known(self, app: Flask, desk: FlaskClient) -> None:
        add(app, "Bare", key=None, subject_keys=("s",))

        found = cells(look(desk, columns=["name", "key", "verified", "app", "status"]))

        assert found == {"Payment": "Not begun"}

    def test_tells_what_nobody_has_looked_at(self, app: Flask, desk: FlaskClient) -> None:
        bill(app, [add(app, "New")], None)

        assert cells(look(desk))["Payment"] == "Not looked at yet"

    def test_shows_any_name(self, app: Flask, desk: FlaskClient) -> None:
        some = ["<script>alert(1)</script>", "شركة الاتصالات", "😀 Party", "A" * 256, "a'b\"c&d"]
        for name in some:
            add(app, name, key=f"{name}{'k' * 256}"[:256])

        page = look(desk, sort="created")

        assert names(page) == some
        assert [name.text for name in page.all("bdi")] == some

    def test_tells_the_app_and_the_ids_when_asked(self, app: Flask, desk: FlaskClient) -> None:
        made = add(app, "ACME")
        bill(app, [made], "saved")

        page = look(desk, columns=["name", "app", "stripe", "id"])

        found = cells(page)
        assert "Test" in found["Stripe app"]
        assert f"cus_{made}" in found["Stripe app"]
        assert found["Id"] == made
        assert names(page) == ["ACME"]

    def test_tells_of_the_app_that_counts_when_there_are_several(
        self, app: Flask, desk: FlaskClient, simulator: Simulator
    ) -> None:
        other = install_another(app, simulator)
        made = add(app, "ACME")
        bill(app, [made], "failed")
        bill(app, [made], "saved", app_id=other, stripe_customer_id="cus_other")

        usual, filtered, by_app = (
            cells(look(desk, columns=["name", "app", "stripe", "status"], **query))
            for query in ({}, {"status": "saved"}, {"app": other})
        )

        assert usual["Payment"] == "Declined"
        assert usual["Stripe app"].endswith("(in Stripe, opens a new tab)")
        assert "and 1 more" in usual["Stripe app"]
        assert filtered["Payment"] == by_app["Payment"] == "Saved"
        assert "cus_other" in filtered["Stripe app"]


class TestSearch:
    """One box for everything."""

    def test_finds_by_parts_of_every_field(self, app: Flask, desk: FlaskClient) -> None:
        add(
            app, "Ärzte ohne Grenzen", key="B-77", primary_email="info@msf.example", subject_keys=("METER-9",)
        )
        add(app, "Beta 100%", key="1")
        wanted = {
            "ärzte": ["Ärzte ohne Grenzen"],
            "ARZTE": ["Ärzte ohne Grenzen"],
            "grenzen ärzte": ["Ärzte ohne Grenzen"],
            "msf.example": ["Ärzte ohne Grenzen"],
            "grenzen b-77": ["Ärzte ohne Grenzen"],
            "meter-9": ["Ärzte ohne Grenzen"],
            "oh": ["Ärzte ohne Grenzen"],
            "b": ["Ärzte ohne Grenzen", "Beta 100%"],
            "ta": [],  # one or two letters begin a word
            "eta": ["Beta 100%"],
            "100%": ["Beta 100%"],
            "1%0": [],
            "_": [],
            "ärzte beta": [],
            "a b c d e f g h i j k": [],
            "\u0301": ["Ärzte ohne Grenzen", "Beta 100%"],
            "   ": ["Ärzte ohne Grenzen", "Beta 100%"],
            "x" * 3000: [],
            "\x00": ["Ärzte ohne Grenzen", "Beta 100%"],
        }

        found = {text: names(look(desk, q=text, sort="-name")) for text in wanted}

        assert found == wanted

    def test_finds_a_long_sentence_as_it_stands(self, app: Flask, desk: FlaskClient) -> None:
        add(app, "one two three four five six seven eight nine")

        assert names(look(desk, q="two three four five six seven eight nine")) != []
        assert names(look(desk, q="one two three four five six seven eight nin")) != []
        assert names(look(desk, q="two one three four five six seven eight nine")) == []

    def test_leads_to_whoever_an_id_of_stripes_belongs_to(
        self, desk: FlaskClient, person: Person, world: World
    ) -> None:
        person.saves()
        world.settle()
        page, [method] = person.pages[0], person.methods

        ids = (person.stripe_id, page.id, page.setup_intent_id, method.id, f" {page.id} ")
        found = {id_: desk.get(LIST, query_string={"q": id_}) for id_ in ids}

        assert {answer.status_code for answer in found.values()} == {303}
        assert {leads_to(answer) for answer in found.values()} == {person.payer.customer_id}

    def test_leads_to_whoever_an_event_told_of(
        self, app: Flask, desk: FlaskClient, person: Person, world: World
    ) -> None:
        person.saves()
        world.settle()
        told = [event for event in stored_events(app) if event.payer_id]

        answer = desk.get(LIST, query_string={"q": told[0].id})

        assert leads_to(answer) == person.payer.customer_id

    def test_leads_to_whoever_an_id_of_ours_belongs_to(self, app: Flask, desk: FlaskClient) -> None:
        made = add(app, "ACME")
        delete(app, made)

        answers = [desk.get(LIST, query_string={"q": id_}) for id_ in (made, made.lower())]

        assert [leads_to(answer) for answer in answers] == [made, made]

    def test_shows_all_whom_an_id_belonged_to(self, app: Flask, desk: FlaskClient) -> None:
        first, second = add(app, "First"), add(app, "Second")
        bill(app, [first], "saved", stripe_customer_id="cus_twice", deleted_at=utcnow())
        bill(app, [second], "saved", stripe_customer_id="cus_twice")

        assert names(look(desk, q="cus_twice", sort="name")) == ["First", "Second"]

    def test_takes_what_only_looks_like_an_id_for_a_text(self, app: Flask, desk: FlaskClient) -> None:
        add(app, "ACME", key="cus_1234567")

        assert names(look(desk, q="cus_1234567")) == ["ACME"]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("cus_unknown", "No customer is known by the id cus_unknown"),
            ("evt_unknown", "An event may also be nobody's"),
            ("nobody", "One or two letters must begin a word"),
        ],
    )
    def test_says_why_nobody_fits(self, app: Flask, desk: FlaskClient, text: str, said: str) -> None:
        add(app, "ACME")

        page = look(desk, q=text)

        assert said in page.one("main").text
        assert page.value("q") == text
        assert page.one("a", href=LIST, class_="button secondary compact").text == "Show all customers"

    def test_points_to_the_deleted_who_fit(self, app: Flask, desk: FlaskClient) -> None:
        delete(app, add(app, "ACME"))

        page = look(desk, q="acme")

        [link] = [link for link in page.all("a") if "deleted customer fits" in link.text]
        assert link.text == "1 deleted customer fits"
        assert names(Page.of(desk.get(link["href"]))) == ["ACME"]


class TestFilter:
    """By payment, by app, and the deleted."""

    def test_keeps_those_with_a_status(self, app: Flask, desk: FlaskClient) -> None:
        ids = [add(app, name) for name in ("Ada", "Bob", "Cid", "Dan")]
        bill(app, ids[:1], "saved")
        bill(app, ids[1:2], "failed")
        bill(app, ids[2:3], "none")

        found = {
            status: names(look(desk, status=status, sort="name"))
            for status in ("saved", "failed", "none", "expired", "", "nonsense")
        }

        assert found == {
            "saved": ["Ada"],
            "failed": ["Bob"],
            "none": ["Cid", "Dan"],
            "expired": [],
            "": ["Ada", "Bob", "Cid", "Dan"],
            "nonsense": ["Ada", "Bob", "Cid", "Dan"],
        }

    def test_forgets_a_payer_that_is_no_more(self, app: Flask, desk: FlaskClient) -> None:
        bill(app, [add(app, "Ada")], "saved", deleted_at=utcnow())

        assert names(look(desk, status="saved")) == []
        assert names(look(desk, status="none")) == ["Ada"]

    def test_keeps_those_of_an_app(self, app: Flask, desk: FlaskClient, simulator: Simulator) -> None:
        other = install_another(app, simulator)
        ids = [add(app, name) for name in ("Ada", "Bob", "Cid")]
        bill(app, ids[:2], "saved")
        bill(app, ids[1:], "failed", app_id=other)

        found = [
            names(look(desk, sort="name", **query))
            for query in (
                {"app": other},
                {"app": other, "status": "saved"},
                {"app": other, "status": "none"},
                {"status": "saved"},
            )
        ]

        assert found == [["Bob", "Cid"], [], ["Ada"], ["Ada", "Bob"]]

    def test_offers_apps_only_when_there_are_several(
        self, app: Flask, desk: FlaskClient, simulator: Simulator
    ) -> None:
        add(app, "Ada")
        alone = look(desk)

        install_another(app, simulator)

        assert not alone.all("select", name="app")
        assert len(look(desk).one("select", name="app").all("option")) == 3

    def test_keeps_the_deleted(self, app: Flask, desk: FlaskClient) -> None:
        add(app, "Ada")
        delete(app, add(app, "Bob"))

        page = look(desk, show="deleted")

        assert names(page) == ["Bob"]
        assert cells(page)["Payment"].startswith("Deleted here")
        assert names(look(desk)) == ["Ada"]
        assert names(look(desk, show="deleted", status="saved")) == []

    def test_joins_with_a_search(self, app: Flask, desk: FlaskClient) -> None:
        ids = [add(app, name) for name in ("Ada 1", "Ada 2", "Bob 1")]
        bill(app, ids, "saved")
        bill(app, [add(app, "Ada 3")], "failed")

        assert names(look(desk, q="ada", status="saved", sort="name")) == ["Ada 1", "Ada 2"]
        assert names(look(desk, q="ada", status="none")) == []

    def test_stays_in_the_form(self, app: Flask, desk: FlaskClient) -> None:
        page = look(desk, q="x y", status="failed", show="deleted", sort="-name", size="25")

        values = {name: page.value(name) for name in ("q", "status", "show", "sort", "size")}
        assert values == {"q": "x y", "status": "failed", "show": "deleted", "sort": "-name", "size": "25"}


class TestOrder:
    """Sorting and pages."""

    def test_begins_with_the_newest(self, app: Flask, desk: FlaskClient) -> None:
        crowd(app, 3)

        assert names(look(desk)) == ["Member 00002", "Member 00001", "Member 00000"]

    @pytest.mark.parametrize("query", [{}, {"q": "member"}, {"status": "saved"}, {"show": "deleted"}])
    def test_sorts_by_name_or_age(self, app: Flask, desk: FlaskClient, query: dict[str, str]) -> None:
        ids = crowd(app, 3)
        bill(app, ids, "saved")
        for customer_id in ids if query == {"show": "deleted"} else []:
            delete(app, customer_id)

        found = {
            sort: names(look(desk, sort=sort, **query))
            for sort in ("name", "created", "-name", "-created", "nonsense")
        }

        up = ["Member 00000", "Member 00001", "Member 00002"]
        assert found["name"] == found["created"] == up
        assert found["-name"] == found["-created"] == found["nonsense"] == up[::-1]

    def test_turns_round_by_the_heads_of_the_columns(self, app: Flask, desk: FlaskClient) -> None:
        crowd(app, 2)

        by_age, by_name = look(desk), look(desk, sort="name")

        heads = {head.text: head for head in by_age.one("thead").all("th")}
        assert heads["Created ↓"]["aria-sort"] == "descending"
        assert heads["Created ↓"].one("a")["href"] == f"{LIST}?sort=created"
        assert heads["Name"].one("a")["href"] == f"{LIST}?sort=name"
        assert by_name.one("thead").all("th")[0].one("a")["href"] == f"{LIST}?sort=-name"

    @pytest.mark.parametrize("query", [{}, {"q": "member"}, {"status": "saved"}])
    def test_goes_page_by_page(self, app: Flask, desk: FlaskClient, query: dict[str, str]) -> None:
        bill(app, crowd(app, 60), "saved")

        pages = [look(desk, size="25", page=number, sort="name", **query) for number in (1, 2, 3)]

        assert [len(names(page)) for page in pages] == [25, 25, 10]
        assert len({name for page in pages for name in names(page)}) == 60
        assert "26\u201350 of 60 customers" in pages[1].one("nav", class_="pager").text
        assert [bool(page.all("a", rel="next")) for page in pages] == [True, True, False]
        assert [bool(page.all("a", rel="prev")) for page in pages] == [False, True, True]
        assert names(Page.of(desk.get(pages[0].one("a", rel="next")["href"]))) == names(pages[1])

    def test_begins_at_the_beginning_when_the_page_makes_no_sense(
        self, app: Flask, desk: FlaskClient
    ) -> None:
        crowd(app, 30)

        pages = [look(desk, page=page, size="25") for page in ("0", "-1", "x", "", "1.5", "٣", "9" * 3000)]

        assert [names(page)[0] for page in pages] == ["Member 00029"] * 7

    def test_leads_back_from_behind_the_end(self, app: Flask, desk: FlaskClient) -> None:
        crowd(app, 30)

        for query in ({}, {"q": "member"}, {"status": "none"}):
            for page in ("3", "9" * 20):
                answer = desk.get(LIST, query_string=query | {"page": page, "size": "25"})

                assert answer.status_code == 303
                assert len(names(Page.of(desk.get(answer.location)))) == 5

    def test_counts_only_so_far(self, app: Flask, desk: FlaskClient) -> None:
        crowd(app, 3_010)

        first = look(desk, status="none", sort="name", size="100")
        second = Page.of(desk.get(first.one("a", rel="next")["href"]))
        third = Page.of(desk.get(second.one("a", rel="next")["href"]))
        back = look(desk, status="none", sort="-created", size="100", page="2")
        last = look(desk, status="none", sort="name", size="100", page="30")

        assert "1\u2013100 of more than 3,000 customers" in first.text
        found = names(first) + names(second) + names(third)
        assert found == [f"Member {number:05}" for number in range(300)]
        assert names(back) == [f"Member {number:05}" for number in range(2909, 2809, -1)]
        assert not last.all("a", rel="next")
        assert "The list ends here, and more customers fit." in last.text
        assert "CSV" not in last.text  # which a viewer may not have

    def test_finds_those_who_fit_at_whichever_end_they_stand(self, app: Flask, desk: FlaskClient) -> None:
        ids = crowd(app, 8_200)
        bill(app, ids[:5_100], "saved")  # so the others are many, and behind many who do not fit

        first = look(desk, status="none", sort="name", size="25")
        second = Page.of(desk.get(first.one("a", rel="next")["href"]))
        jumped = look(desk, status="none", sort="name", size="25", page="100")
        back = look(desk, status="none", sort="-name", size="25", page="3")

        assert names(first) == [f"Member {number:05}" for number in range(5_100, 5_125)]
        assert names(second) == [f"Member {number:05}" for number in range(5_125, 5_150)]
        assert names(jumped) == [f"Member {number:05}" for number in range(7_575, 7_600)]
        assert names(back) == [f"Member {number:05}" for number in range(8_149, 8_124, -1)]

    def test_goes_on_behind_the_page_that_was_seen(self, app: Flask, desk: FlaskClient) -> None:
        crowd(app, 3_010)
        first = look(desk, status="none", size="25")
        add(app, "In between")

        second = Page.of(desk.get(first.one("a", rel="next")["href"]))

        assert names(first)[-1] == "Member 02985"
        assert names(second)[0] == "Member 02984"

    def test_shows_a_page_that_was_jumped_to_as_it_was(self, app: Flask, desk: FlaskClient) -> None:
        ids = crowd(app, 8_200)
        bill(app, ids[3_200:], "saved")  # so those who fit stand behind as many as are looked through
        jumped = look(desk, status="none", size="25", page="40")
        add(app, "In between")

        again = look(desk, status="none", size="25", page="40")

        assert names(jumped)[0] == "Member 02224"
        assert names(again) == names(jumped)

    def test_counts_many_payers_of_few_customers_right(
        self, app: Flask, desk: FlaskClient, simulator: Simulator
    ) -> None:
        other = install_another(app, simulator)
        made = add(app, "Both")
        bill(app, [made], "saved")
        bill(app, [made], "saved", app_id=other)

        assert "1\u20131 of 1 customer" in look(desk, status="saved").text


class TestColumns:
    """The choice of columns, which stays in the address."""

    def test_are_those_that_were_chosen(self, app: Flask, desk: FlaskClient) -> None:
        add(app, "ACME", primary_email="a@example.com")

        page = look(desk, columns=["name", "created", "key"])

        assert [head.text for head in page.one("thead").all("th")] == ["Name", "Key", "Created ↓"]
        assert "a@example.com" not in page.one("tbody").text
        checked = [box["value"] for box in page.all("input", type="checkbox") if "checked" in box.attributes]
        assert checked == ["key", "created"]

    def test_may_be_none_beside_the_name(self, app: Flask, desk: FlaskClient) -> None:
        add(app, "ACME")

        assert [head.text for head in look(desk, columns="name").one("thead").all("th")] == ["Name"]

    def test_stay_in_every_link(self, app: Flask, desk: FlaskClient) -> None:
        crowd(app, 30)

        page = look(desk, columns=["name", "key"], size="25", sort="name")

        wanted = "size=25&columns=name&columns=key"
        assert page.one("a", rel="next")["href"] == f"{LIST}?sort=name&{wanted}&page=2"
        assert page.one("thead").one("a", class_="sort")["href"] == f"{LIST}?sort=-name&{wanted}"

    def test_are_the_usual_ones_when_nothing_is_said(self, app: Flask, desk: FlaskClient) -> None:
        crowd(app, 30)

        page = look(desk, columns=["name", *USUAL], size="25")

        assert page.one("a", rel="next")["href"] == f"{LIST}?size=25&page=2"


class TestEmpty:
    """Nobody is there."""

    def test_says_how_to_get_the_first(self, app: Flask) -> None:
        page = Page.of(sign_in(app, "operator").get(LIST))

        assert page.one("p", class_="empty-title").text == "No customers yet"
        links = {link.get("href") for link in page.one("main").all("a")}
        assert {"/signup", f"{LIST}/new", "/api/docs"} <= links
        assert not page.all("form", role="search")

    def test_offers_a_viewer_only_what_a_viewer_may(self, desk: FlaskClient) -> None:
        links = {link.get("href") for link in look(desk).one("main").all("a")}

        assert {"/signup", "/api/docs"} <= links
        assert f"{LIST}/new" not in links

    def test_points_to_the_deleted(self, app: Flask, desk: FlaskClient) -> None:
        for name in ("Ada", "Bob"):
            delete(app, add(app, name))

        page = look(desk)

        assert page.one("a", href=f"{LIST}?show=deleted").text == "2 deleted customers"
        assert page.one("form", role="search")


USUAL = ("email", "key", "subjects", "status", "method", "created", "verified")


def leads_to(answer: TestResponse) -> str:
    """The customer to whose page an answer leads."""
    assert answer.status_code == 303, Page.of(answer).text
    return answer.location.rsplit("/", 1)[-1]


def stored_events(app: Flask) -> list[Any]:
    """The inbox."""
    with app.app_context():
        return list(db.session().query(webhooks.Event))


def install_another(app: Flask, simulator: Simulator) -> str:
    """A second Stripe account; the id of its app."""
    add_account(simulator.books, "acct_second", 1)
    add_key(simulator.books, "sk_test_second", account="acct_second")
    with app.app_context():
        session = db.session()
        installed = apps.install(session, "sk_test_second", public_url=PORTAL, actor="test", name="Second")
        session.commit()
        return installed.id
