"""The list of customers sorts by each column, and pages through all customers without gaps or repeats."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.simulator import Simulator
from tests.support.browser import Page
from tests.support.console_customers import LIST, delete, follow, install_another, look, names, rows
from tests.support.crowd import add, bill, crowd


class TestOrder:
    """Sorting and pages."""

    def test_begins_with_the_newest(self, app: Flask, console: FlaskClient) -> None:
        crowd(app, 3)

        assert names(look(console)) == ["Member 00002", "Member 00001", "Member 00000"]

    @pytest.mark.parametrize("query", [{}, {"q": "member"}, {"status": "saved"}, {"show": "deleted"}])
    def test_sorts_by_name_or_age(self, app: Flask, console: FlaskClient, query: dict[str, str]) -> None:
        ids = crowd(app, 3)
        bill(app, ids, "saved")
        for customer_id in ids if query == {"show": "deleted"} else []:
            delete(app, customer_id)

        found = {
            sort: names(look(console, sort=sort, **query))
            for sort in ("name", "created", "-name", "-created", "nonsense")
        }

        up = ["Member 00000", "Member 00001", "Member 00002"]
        assert found["name"] == found["created"] == up
        assert found["-name"] == found["-created"] == found["nonsense"] == up[::-1]

    def test_turns_round_by_the_heads_of_the_columns(self, app: Flask, console: FlaskClient) -> None:
        crowd(app, 2)

        by_age, by_name = look(console), look(console, sort="name")

        heads = {head.text: head for head in by_age.one("thead").all("th")}
        assert heads["Created ↓"]["aria-sort"] == "descending"
        assert heads["Created ↓"].one("a")["href"] == f"{LIST}?sort=created"
        assert heads["Name"].one("a")["href"] == f"{LIST}?sort=name"
        assert by_name.one("thead").all("th")[0].one("a")["href"] == f"{LIST}?sort=-name"

    @pytest.mark.parametrize("query", [{}, {"q": "member"}, {"status": "saved"}, {"status": "none"}])
    @pytest.mark.parametrize("sort", ["name", "-name", "created", "-created"])
    def test_goes_page_by_page(
        self, app: Flask, console: FlaskClient, sort: str, query: dict[str, str]
    ) -> None:
        ids = crowd(app, 60)
        if query != {"status": "none"}:
            bill(app, ids, "saved")

        pages = [look(console, size="25", sort=sort, **query)]
        while pages[-1].all("a", rel="next"):
            pages.append(follow(console, pages[-1], "next"))
        back = follow(console, pages[2], "prev")

        expected = [f"Member {number:05}" for number in range(60)]
        assert [len(names(page)) for page in pages] == [25, 25, 10]
        assert [name for page in pages for name in names(page)] == (
            expected[::-1] if sort.startswith("-") else expected
        )
        assert names(back) == names(pages[1])
        assert names(follow(console, back, "prev")) == names(pages[0])
        assert "60 customers" in pages[1].one("main").text
        assert [bool(page.all("a", rel="prev")) for page in pages] == [False, True, True]

    @pytest.mark.parametrize(
        ("sort", "labels"),
        [
            ("-created", ["Newest", "Newer", "Older"]),
            ("created", ["Oldest", "Older", "Newer"]),
            ("name", ["First", "Previous", "Next"]),
        ],
    )
    def test_names_the_way_by_the_order(
        self, app: Flask, console: FlaskClient, sort: str, labels: list[str]
    ) -> None:
        crowd(app, 60)

        second = follow(console, look(console, size="25", sort=sort), "next")

        links = second.one("nav", class_="pager").all("a")
        assert [link.text for link in links] == labels
        assert links[0]["href"] == f"{LIST}?sort={sort}&size=25".replace("sort=-created&", "")

    def test_tells_people_of_one_name_apart(self, app: Flask, console: FlaskClient) -> None:
        made = set(crowd(app, 30, "Twin ~ 100%"))

        for sort in ("name", "-name"):
            first = look(console, size="25", sort=sort)
            second = follow(console, first, "next")

            hrefs = [row.one("th").one("a")["href"] for row in rows(first) + rows(second)]
            assert {href.rsplit("/", 1)[-1] for href in hrefs} == made
            assert len(hrefs) == 30

    def test_leads_back_from_behind_the_end(self, app: Flask, console: FlaskClient) -> None:
        crowd(app, 3)
        last = "0" * 26

        for query in ({}, {"q": "member"}, {"status": "none"}):
            answer = console.get(LIST, query_string=query | {"after": f"1971-01-01T00:00:00+00:00~{last}"})

            assert answer.status_code == 303
            assert len(names(Page.of(console.get(answer.location)))) == 3

    def test_counts_only_so_far(self, app: Flask, console: FlaskClient) -> None:
        crowd(app, 3_010)

        pages = [look(console, status="none", sort="name", size="100")]
        while pages[-1].all("a", rel="next"):
            pages.append(follow(console, pages[-1], "next"))

        assert "more than 3,000 customers" in pages[0].text
        found = [name for page in pages for name in names(page)]
        assert found == [f"Member {number:05}" for number in range(3_010)]

    def test_finds_those_who_match_at_either_end(self, app: Flask, console: FlaskClient) -> None:
        ids = crowd(app, 23_200)
        bill(app, ids[:20_100], "saved")  # so the others are many, and behind many who do not match

        first = look(console, status="none", sort="name", size="25")
        second = follow(console, first, "next")
        back = follow(console, second, "prev")
        newest = look(console, status="none", sort="-name", size="25")

        assert names(first) == [f"Member {number:05}" for number in range(20_100, 20_125)]
        assert names(second) == [f"Member {number:05}" for number in range(20_125, 20_150)]
        assert names(back) == names(first)
        assert names(newest) == [f"Member {number:05}" for number in range(23_199, 23_174, -1)]

    @pytest.mark.parametrize("query", [{}, {"status": "none"}])
    def test_continues_behind_the_page_that_was_seen(
        self, app: Flask, console: FlaskClient, query: dict[str, str]
    ) -> None:
        crowd(app, 60)
        first = look(console, size="25", **query)
        add(app, "In between")

        second = follow(console, first, "next")

        assert names(first)[-1] == "Member 00035"
        assert names(second)[0] == "Member 00034"

    def test_counts_many_payers_of_few_customers_right(
        self, app: Flask, console: FlaskClient, simulator: Simulator
    ) -> None:
        other = install_another(app, simulator)
        made = add(app, "Both")
        bill(app, [made], "saved")
        bill(app, [made], "saved", app_id=other)

        assert "1 customer" in look(console, status="saved").one("main").text
