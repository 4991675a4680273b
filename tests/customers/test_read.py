"""A program reads one customer by id or key, and pages, sorts and filters the list of all customers."""

from typing import Any

import pytest

from tests.support.api import JSON, Api, wrong_fields
from tests.support.cases import for_each
from tests.support.customers import UNKNOWN, make, subjects


def names(api: Api, **query: Any) -> list[str]:
    answer = api.get("/customers", **query)
    assert answer.status_code == 200, answer.get_json()
    return [item["name"] for item in answer.get_json()["items"]]


class TestGet:
    """`GET /customers/{idOrKey}`."""

    @for_each("key", ["acme", "a/b", "a b", "a%2Fb", "a?b#c", "ß€", "..", "'", "a//b", "+"])
    def test_finds_by_key_however_it_is_written(self, api: Api, key: str) -> None:
        from urllib.parse import quote  # noqa: PLC0415

        made = make(api, key=key)

        answer = api.get(f"/customers/{quote(key, safe='')}")

        assert answer.status_code == 200
        assert answer.get_json() == made

    def test_finds_by_id_in_any_letter_case(self, api: Api) -> None:
        made = make(api, key="acme")

        answers = [api.get(f"/customers/{path}") for path in (made["id"], made["id"].lower())]

        assert [answer.get_json() for answer in answers] == [made, made]

    def test_finds_a_deleted_one_by_id_only(self, api: Api) -> None:
        made = make(api, key="acme")
        api.delete("/customers/acme")

        by_id, by_key = (api.get(f"/customers/{path}") for path in (made["id"], "acme"))

        assert by_id.status_code == 200
        assert by_id.get_json()["deletedAt"].endswith("Z")
        assert by_key.status_code == 404

    @for_each("path", [UNKNOWN, "nobody", "x" * 300, "%F0%9F%98%80", "%ED%A0%80", "%ff"])
    def test_knows_only_what_is_there(self, api: Api, path: str) -> None:
        answer = api.get(f"/customers/{path}")

        assert answer.status_code == 404
        assert answer.get_json()["detail"].startswith("not found error: ")

    @pytest.mark.parametrize(("expand", "status"), [("subscriptions", 200), ("invoices", 400), ("", 400)])
    def test_knows_one_thing_to_expand(self, api: Api, expand: str, status: int) -> None:
        make(api, key="acme")

        assert api.get("/customers/acme", expand=expand).status_code == status


class TestList:
    """`GET /customers`."""

    @pytest.fixture(autouse=True)
    def _three(self, api: Api) -> None:
        make(
            api,
            name="Beta 100%",
            key="KEY_1",
            primaryEmail="Ada@example.com",
            usageAttribution=subjects("s-1"),
        )
        make(api, name="alpha", key="key-2", primaryEmail="bob@example.org", usageAttribution=subjects("S-2"))
        make(api, name="Gamma", key="other", usageAttribution=subjects("s-3", "t-3"))

    def test_gives_a_page(self, api: Api) -> None:
        answer = api.get("/customers")

        body = answer.get_json()
        assert body.keys() == {"items", "page", "pageSize", "totalCount"}
        assert (body["page"], body["pageSize"], body["totalCount"]) == (1, 100, 3)
        assert body["items"][0].keys() >= {"id", "name", "createdAt", "updatedAt"}

    def test_gives_pages_one_behind_the_other(self, api: Api) -> None:
        pages = [api.get("/customers", page=page, pageSize=2).get_json() for page in (1, 2, 3)]

        assert [len(page["items"]) for page in pages] == [2, 1, 0]
        assert [page["page"] for page in pages] == [1, 2, 3]
        assert {page["totalCount"] for page in pages} == {3}
        assert len({item["id"] for page in pages for item in page["items"]}) == 3

    @pytest.mark.parametrize("order_by", ["id", "createdAt"])
    def test_orders_by_age(self, api: Api, order_by: str) -> None:
        up = names(api, orderBy=order_by)
        down = names(api, orderBy=order_by, order="DESC")

        assert up == ["Beta 100%", "alpha", "Gamma"]
        assert down == up[::-1]

    def test_orders_by_name_unless_told_otherwise(self, api: Api) -> None:
        assert names(api) == names(api, orderBy="name", order="ASC")
        assert names(api) == names(api, order="DESC")[::-1]
        assert set(names(api)) == {"Beta 100%", "alpha", "Gamma"}

    def test_orders_equal_names_the_same_way_each_time(self, api: Api) -> None:
        for number in range(5):
            make(api, name="Same", key=f"same-{number}")

        pages = [api.get("/customers", name="Same", page=page, pageSize=1).get_json() for page in range(1, 6)]

        assert len({page["items"][0]["id"] for page in pages}) == 5

    @for_each(
        ("query", "found"),
        [
            ({"key": "key"}, {"Beta 100%", "alpha"}),
            ({"key": "KEY-"}, {"alpha"}),
            ({"key": "_"}, {"Beta 100%"}),
            ({"name": "A"}, {"Beta 100%", "alpha", "Gamma"}),
            ({"name": "%"}, {"Beta 100%"}),
            ({"name": "\\"}, set()),
            ({"primaryEmail": "ADA@"}, {"Beta 100%"}),
            ({"primaryEmail": "example"}, {"Beta 100%", "alpha"}),
            ({"subject": "s-"}, {"Beta 100%", "alpha", "Gamma"}),
            ({"subject": "T-3"}, {"Gamma"}),
            ({"key": "key", "name": "alp"}, {"alpha"}),
            ({"key": "key", "name": "gamma"}, set()),
            ({"planKey": "pro"}, set()),
            ({"expand": "subscriptions"}, {"Beta 100%", "alpha", "Gamma"}),
            ({"unknown": "x"}, {"Beta 100%", "alpha", "Gamma"}),
        ],
    )
    def test_filters(self, api: Api, query: JSON, found: set[str]) -> None:
        body = api.get("/customers", **query).get_json()

        assert {item["name"] for item in body["items"]} == found
        assert body["totalCount"] == len(found)

    def test_leaves_out_the_deleted_unless_asked(self, api: Api) -> None:
        api.delete("/customers/other")

        without, also = (api.get("/customers", includeDeleted=say).get_json() for say in ("false", "true"))

        assert (without["totalCount"], also["totalCount"]) == (2, 3)
        assert [item["name"] for item in also["items"] if "deletedAt" in item] == ["Gamma"]

    @for_each(
        ("name", "value"),
        [
            ("page", "0"),
            ("page", "-1"),
            ("page", "x"),
            ("page", ""),
            ("page", "1.5"),
            ("page", "9" * 5000),
            ("pageSize", "0"),
            ("pageSize", "1001"),
            ("orderBy", "age"),
            ("order", "asc"),
            ("includeDeleted", "yes"),
            ("key", ""),
            ("name", ""),
            ("primaryEmail", ""),
            ("subject", ""),
            ("name", "\x00"),
            ("expand", "invoices"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, api: Api, name: str, value: str) -> None:
        answer = api.get("/customers", **{name: value})

        assert answer.status_code == 400
        assert {field.split("/")[1] for field in wrong_fields(answer)} == {name}

    @pytest.mark.parametrize("page", [10**6, 2**62, 2**63, 10**40])
    def test_is_empty_far_behind_the_end(self, api: Api, page: int) -> None:
        answer = api.get("/customers", page=page, pageSize=1000)

        assert (answer.status_code, answer.get_json()["items"]) == (200, [])
        assert answer.get_json()["page"] == page

    @pytest.mark.parametrize("size", [1, 1000])
    def test_takes_any_size_that_is_allowed(self, api: Api, size: int) -> None:
        assert api.get("/customers", pageSize=size).get_json()["pageSize"] == size
