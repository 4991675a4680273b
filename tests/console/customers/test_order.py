"""The list of customers sorts by each column, and pages through all customers without gaps or repeats."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.simulator import Simulator
from tests.support.browser import Page
from tests.support.console_customers import LIST, delete, install_another, look, names
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

    @pytest.mark.parametrize("query", [{}, {"q": "member"}, {"status": "saved"}])
    def test_goes_page_by_page(self, app: Flask, console: FlaskClient, query: dict[str, str]) -> None:
        bill(app, crowd(app, 60), "saved")

        pages = [look(console, size="25", page=number, sort="name", **query) for number in (1, 2, 3)]

        assert [len(names(page)) for page in pages] == [25, 25, 10]
        assert len({name for page in pages for name in names(page)}) == 60
        assert "26\u201350 of 60 customers" in pages[1].one("nav", class_="pager").text
        assert [bool(page.all("a", rel="next")) for page in pages] == [True, True, False]
        assert [bool(page.all("a", rel="prev")) for page in pages] == [False, True, True]
        assert names(Page.of(console.get(pages[0].one("a", rel="next")["href"]))) == names(pages[1])

    def test_leads_back_from_behind_the_end(self, app: Flask, console: FlaskClient) -> None:
        crowd(app, 30)

        for query in ({}, {"q": "member"}, {"status": "none"}):
            for page in ("3", "9" * 20):
                answer = console.get(LIST, query_string=query | {"page": page, "size": "25"})

                assert answer.status_code == 303
                assert len(names(Page.of(console.get(answer.location)))) == 5

    def test_counts_only_so_far(self, app: Flask, console: FlaskClient) -> None:
        crowd(app, 3_010)

        first = look(console, status="none", sort="name", size="100")
        second = Page.of(console.get(first.one("a", rel="next")["href"]))
        third = Page.of(console.get(second.one("a", rel="next")["href"]))
        back = look(console, status="none", sort="-created", size="100", page="2")
        last = look(console, status="none", sort="name", size="100", page="30")

        assert "1\u2013100 of more than 3,000 customers" in first.text
        found = names(first) + names(second) + names(third)
        assert found == [f"Member {number:05}" for number in range(300)]
        assert names(back) == [f"Member {number:05}" for number in range(2909, 2809, -1)]
        assert not last.all("a", rel="next")
        assert "The list ends here, and more customers fit." in last.text
        assert "CSV" not in last.text  # which a viewer may not have

    def test_finds_those_who_fit_at_whichever_end_they_stand(self, app: Flask, console: FlaskClient) -> None:
        ids = crowd(app, 8_200)
        bill(app, ids[:5_100], "saved")  # so the others are many, and behind many who do not fit

        first = look(console, status="none", sort="name", size="25")
        second = Page.of(console.get(first.one("a", rel="next")["href"]))
        jumped = look(console, status="none", sort="name", size="25", page="100")
        back = look(console, status="none", sort="-name", size="25", page="3")

        assert names(first) == [f"Member {number:05}" for number in range(5_100, 5_125)]
        assert names(second) == [f"Member {number:05}" for number in range(5_125, 5_150)]
        assert names(jumped) == [f"Member {number:05}" for number in range(7_575, 7_600)]
        assert names(back) == [f"Member {number:05}" for number in range(8_149, 8_124, -1)]

    def test_goes_on_behind_the_page_that_was_seen(self, app: Flask, console: FlaskClient) -> None:
        crowd(app, 3_010)
        first = look(console, status="none", size="25")
        add(app, "In between")

        second = Page.of(console.get(first.one("a", rel="next")["href"]))

        assert names(first)[-1] == "Member 02985"
        assert names(second)[0] == "Member 02984"

    def test_shows_a_page_that_was_jumped_to_as_it_was(self, app: Flask, console: FlaskClient) -> None:
        ids = crowd(app, 8_200)
        bill(app, ids[3_200:], "saved")  # so those who fit stand behind as many as are looked through
        jumped = look(console, status="none", size="25", page="40")
        add(app, "In between")

        again = look(console, status="none", size="25", page="40")

        assert names(jumped)[0] == "Member 02224"
        assert names(again) == names(jumped)

    def test_counts_many_payers_of_few_customers_right(
        self, app: Flask, console: FlaskClient, simulator: Simulator
    ) -> None:
        other = install_another(app, simulator)
        made = add(app, "Both")
        bill(app, [made], "saved")
        bill(app, [made], "saved", app_id=other)

        assert "1\u20131 of 1 customer" in look(console, status="saved").text
