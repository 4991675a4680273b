"""Customers for programs, as OpenMeter has them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.customers import Customer
from app.journal import Entry
from app.simulator import Simulator
from tests.support.api import JSON, Api, wrong_fields
from tests.support.rows import Rows

ACME: JSON = {"name": "ACME, Inc.", "key": "acme"}
WHOLE: JSON = {
    "name": "ACME, Inc.",
    "key": "acme",
    "usageAttribution": {"subjectKeys": ["meter-2", "meter-1"]},
    "description": "Makes everything.",
    "primaryEmail": "not checked",
    "currency": "EUR",
    "billingAddress": {
        "country": "DE",
        "postalCode": "10115",
        "state": "BE",
        "city": "Berlin",
        "line1": "Weg 1",
        "line2": "Hof",
        "phoneNumber": "+49 30 1",
    },
    "metadata": {"plan": "pro", "": "empty name", "ключ": "значение"},
}
UNKNOWN = "01G65Z755AFWAKHE12NY0CQ9FH"


def make(api: Api, **details: Any) -> JSON:
    answer = api.post("/customers", {"name": "ACME, Inc."} | details)
    assert answer.status_code == 201, answer.get_json()
    made: JSON = answer.get_json()
    return made


def subjects(*keys: str) -> JSON:
    return {"subjectKeys": list(keys)}


def names(api: Api, **query: Any) -> list[str]:
    answer = api.get("/customers", **query)
    assert answer.status_code == 200, answer.get_json()
    return [item["name"] for item in answer.get_json()["items"]]


class TestCreate:
    """`POST /customers`."""

    def test_answers_all_that_was_given(self, api: Api, rows: Rows, simulator: Simulator) -> None:
        answer = api.post("/customers", WHOLE)

        body = answer.get_json()
        [row] = rows(Customer)
        assert answer.status_code == 201
        assert answer.headers["Content-Type"] == "application/json"
        assert body.pop("usageAttribution") == {"subjectKeys": ["meter-1", "meter-2"]}
        assert body.items() >= {name: WHOLE[name] for name in WHOLE if name != "usageAttribution"}.items()
        assert body.keys() == WHOLE.keys() - {"usageAttribution"} | {"id", "createdAt", "updatedAt"}
        assert (row.id, row.key, row.extra) == (body["id"], "acme", WHOLE["metadata"])
        assert not simulator.books.customers

    def test_leaves_out_what_has_no_value(self, api: Api) -> None:
        body = make(api, key="acme", metadata={}, usageAttribution=subjects(), billingAddress={})

        assert body.keys() == {"id", "name", "key", "createdAt", "updatedAt"}

    def test_gives_instants_in_utc(self, api: Api) -> None:
        body = make(api, key="acme")

        assert body["createdAt"].endswith("Z")
        created = datetime.fromisoformat(body["createdAt"])
        assert abs((datetime.now(UTC) - created).total_seconds()) < 60

    def test_stands_in_the_journal(self, api: Api, rows: Rows) -> None:
        body = make(api, key="acme")

        [entry] = [entry for entry in rows(Entry) if entry.kind == "customer.created"]
        assert entry.customer_id == body["id"]
        assert entry.actor.startswith("token:")

    def test_ignores_what_is_read_only_or_unknown(self, api: Api) -> None:
        body = make(api, key="acme", id=UNKNOWN, createdAt="then", deletedAt=5, annotations={"a": 1}, x=None)

        assert body["id"] != UNKNOWN
        assert "deletedAt" not in body

    def test_reads_names_in_any_letter_case(self, api: Api) -> None:
        body = api.post("/customers", {"NAME": "A", "Key": "k", "usageattribution": {"SUBJECTKEYS": ["s"]}})

        assert body.get_json()["usageAttribution"] == {"subjectKeys": ["s"]}

    def test_takes_the_exact_name_where_one_comes_twice(self, api: Api) -> None:
        body = api.post("/customers", {"NAME": "other", "name": "ACME", "Name": 5, "key": "k"}).get_json()

        assert body["name"] == "ACME"

    def test_takes_null_for_metadata(self, api: Api) -> None:
        assert "metadata" not in make(api, key="acme", metadata=None)

    @pytest.mark.parametrize(
        ("changes", "fields"),
        [
            ({"name": ""}, {"/name"}),
            ({"name": "x" * 257}, {"/name"}),
            ({"name": None}, {"/name"}),
            ({"name": 5}, {"/name"}),
            ({"name": ["x"]}, {"/name"}),
            ({"key": ""}, {"/key"}),
            ({"key": "x" * 257}, {"/key"}),
            ({"key": None}, {"/key"}),
            ({"key": True}, {"/key"}),
            ({"description": "x" * 1025}, {"/description"}),
            ({"primaryEmail": 5}, {"/primaryEmail"}),
            ({"currency": "usd"}, {"/currency"}),
            ({"currency": "ZZZ"}, {"/currency"}),
            ({"currency": "USDX"}, {"/currency"}),
            ({"currency": "USD\n"}, {"/currency"}),
            ({"usageAttribution": []}, {"/usageAttribution"}),
            ({"usageAttribution": {}}, {"/usageAttribution/subjectKeys"}),
            ({"usageAttribution": {"subjectKeys": "x"}}, {"/usageAttribution/subjectKeys"}),
            ({"usageAttribution": subjects("a", "")}, {"/usageAttribution/subjectKeys/1"}),
            ({"usageAttribution": {"subjectKeys": [None]}}, {"/usageAttribution/subjectKeys/0"}),
            ({"usageAttribution": subjects("x" * 257)}, {"/usageAttribution/subjectKeys/0"}),
            ({"billingAddress": {"country": "de"}}, {"/billingAddress/country"}),
            (
                {"billingAddress": {"country": "DEU", "city": 1}},
                {"/billingAddress/country", "/billingAddress/city"},
            ),
            ({"billingAddress": "x"}, {"/billingAddress"}),
            ({"metadata": {"a": 1}}, {"/metadata/a"}),
            ({"metadata": {"Customer/~x": None}}, {"/metadata/Customer~1~0x"}),
            ({"metadata": []}, {"/metadata"}),
            ({"name": 5, "currency": 5}, {"/name", "/currency"}),
        ],
    )
    def test_names_each_bad_field(self, api: Api, rows: Rows, changes: JSON, fields: set[str]) -> None:
        answer = api.post("/customers", ACME | changes)

        assert answer.status_code == 400
        assert wrong_fields(answer) == fields
        assert answer.get_json()["detail"].startswith("validation error: ")
        assert rows(Customer) == []

    @pytest.mark.parametrize("body", [{"name": "A"}, {"name": "A", "usageAttribution": subjects()}])
    def test_wants_a_key_or_a_subject(self, api: Api, rows: Rows, body: JSON) -> None:
        answer = api.post("/customers", body)

        assert answer.status_code == 400
        assert "key" in answer.get_json()["detail"]
        assert rows(Customer) == []

    def test_takes_the_longest_that_is_allowed(self, api: Api) -> None:
        wide = "\U0001f600" * 256

        body = make(api, name=wide, key=wide, description="€" * 1024, usageAttribution=subjects(wide))

        assert body["key"] == wide


class TestUniqueness:
    """What no two live customers may share."""

    @pytest.mark.parametrize(
        "second",
        [
            {"key": "acme"},
            {"key": "meter-1"},
            {"key": "b", "usageAttribution": subjects("x", "meter-1")},
            {"key": "b", "usageAttribution": subjects("x", "x")},
        ],
    )
    def test_refuses_names_that_are_held(self, api: Api, rows: Rows, second: JSON) -> None:
        make(api, key="acme", usageAttribution=subjects("meter-1"))

        answer = api.post("/customers", {"name": "B"} | second)

        assert answer.status_code == 409
        assert answer.get_json()["detail"].startswith("conflict error: ")
        assert len(rows(Customer)) == 1

    @pytest.mark.parametrize("is_deleted", [False, True])
    def test_refuses_any_customers_id_as_a_key(self, api: Api, is_deleted: bool) -> None:  # noqa: FBT001
        made = make(api, key="acme")
        if is_deleted:
            api.delete(f"/customers/{made['id']}")

        assert api.post("/customers", {"name": "B", "key": made["id"]}).status_code == 409

    @pytest.mark.parametrize(
        "second",
        [
            {"usageAttribution": subjects("acme")},
            {"key": "b", "usageAttribution": subjects("b")},
            {"key": "ACME", "usageAttribution": subjects("METER-1")},
        ],
    )
    def test_allows_the_rest(self, api: Api, second: JSON) -> None:
        make(api, key="acme", usageAttribution=subjects("meter-1"))

        assert api.post("/customers", {"name": "B"} | second).status_code == 201

    def test_frees_names_with_the_customer(self, api: Api) -> None:
        first = make(api, **WHOLE)
        api.delete("/customers/acme")

        second = make(api, **WHOLE)

        assert second["id"] != first["id"]

    def test_holds_on_replacing(self, api: Api) -> None:
        made = make(api, key="a", usageAttribution=subjects("meter-a"))
        make(api, key="b", usageAttribution=subjects("meter-b"))

        statuses = [
            api.put("/customers/a", {"name": "A"} | change).status_code
            for change in (
                {"key": "b"},
                {"key": "meter-b"},
                {"key": "a", "usageAttribution": subjects("meter-b")},
                {"key": made["id"]},
            )
        ]

        assert statuses == [409] * 4
        assert api.get("/customers/a").get_json() == made


class TestGet:
    """`GET /customers/{idOrKey}`."""

    @pytest.mark.parametrize("key", ["acme", "a/b", "a b", "a%2Fb", "a?b#c", "ß€", "..", "'", "a//b", "+"])
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

    @pytest.mark.parametrize("path", [UNKNOWN, "nobody", "x" * 300, "%F0%9F%98%80", "%ED%A0%80", "%ff"])
    def test_knows_only_what_is_there(self, api: Api, path: str) -> None:
        answer = api.get(f"/customers/{path}")

        assert answer.status_code == 404
        assert answer.get_json()["detail"].startswith("not found error: ")

    @pytest.mark.parametrize(("expand", "status"), [("subscriptions", 200), ("invoices", 400), ("", 400)])
    def test_knows_one_thing_to_expand(self, api: Api, expand: str, status: int) -> None:
        make(api, key="acme")

        assert api.get("/customers/acme", expand=expand).status_code == status


class TestReplace:
    """`PUT /customers/{idOrKey}`."""

    def test_replaces_everything(self, api: Api, rows: Rows) -> None:
        made = make(api, **WHOLE)

        answer = api.put("/customers/acme", {"name": "New", "usageAttribution": subjects("meter-1", "new")})

        body = answer.get_json()
        [row] = rows(Customer)
        assert answer.status_code == 200
        assert body.keys() == {"id", "name", "usageAttribution", "createdAt", "updatedAt"}
        assert body["usageAttribution"] == subjects("meter-1", "new")
        assert (body["id"], body["createdAt"]) == (made["id"], made["createdAt"])
        assert body["updatedAt"] > made["updatedAt"]
        assert row.billing_address is row.primary_email is row.currency is row.extra is None
        assert api.get(f"/customers/{made['id']}").get_json() == body

    def test_keeps_its_own_names(self, api: Api) -> None:
        make(api, **WHOLE)

        answer = api.put("/customers/acme", WHOLE | {"name": "New"})

        assert answer.status_code == 200
        assert answer.get_json()["usageAttribution"] == subjects("meter-1", "meter-2")

    @pytest.mark.parametrize(("path", "status"), [(UNKNOWN, 404), ("nobody", 404)])
    def test_knows_only_what_is_there(self, api: Api, path: str, status: int) -> None:
        assert api.put(f"/customers/{path}", ACME).status_code == status

    def test_leaves_a_deleted_one_alone(self, api: Api) -> None:
        made = make(api, key="acme")
        api.delete("/customers/acme")

        answers = [api.put(f"/customers/{path}", ACME).status_code for path in (made["id"], "acme")]

        assert answers == [412, 404]

    def test_refuses_what_creating_refuses(self, api: Api) -> None:
        made = make(api, key="acme")
        refused: list[Any] = [{"name": "A"}, {"key": "a"}, [], "x"]

        answers = [api.put("/customers/acme", body) for body in refused]

        assert [answer.status_code for answer in answers] == [400] * 4
        assert api.get("/customers/acme").get_json() == made


class TestDelete:
    """`DELETE /customers/{idOrKey}`."""

    @pytest.mark.parametrize("way", ["id", "key"])
    def test_marks_it(self, api: Api, rows: Rows, way: str) -> None:
        made = make(api, **WHOLE)

        answer = api.delete(f"/customers/{made[way]}")

        [row] = rows(Customer)
        assert (answer.status_code, answer.get_data()) == (204, b"")
        assert "Content-Type" not in answer.headers
        assert row.deleted_at is not None
        assert all(subject.deleted_at for subject in row.subjects)

    def test_does_it_once(self, api: Api) -> None:
        made = make(api, key="acme")
        api.delete("/customers/acme")

        again = [api.delete(f"/customers/{path}").status_code for path in (made["id"], "acme", "nobody")]

        assert again == [412, 404, 404]

    def test_keeps_what_it_was_called(self, api: Api) -> None:
        made = make(api, **WHOLE)
        api.delete("/customers/acme")

        body = api.get(f"/customers/{made['id']}").get_json()

        assert (body["key"], body["usageAttribution"]) == ("acme", subjects("meter-1", "meter-2"))


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

    @pytest.mark.parametrize(
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

    @pytest.mark.parametrize(
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
