"""A program creates a customer as OpenMeter has it. Its key and subjects are unique among all customers."""

from datetime import UTC, datetime

import pytest

from app.audit import Entry
from app.customers import Customer
from app.simulator import Simulator
from tests.support.api import JSON, Api, wrong_fields
from tests.support.cases import for_each
from tests.support.customers import ACME, UNKNOWN, WHOLE, make, subjects
from tests.support.rows import Rows


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
        assert not simulator.store.customers

    def test_leaves_out_what_has_no_value(self, api: Api) -> None:
        body = make(api, key="acme", metadata={}, usageAttribution=subjects(), billingAddress={})

        assert body.keys() == {"id", "name", "key", "createdAt", "updatedAt"}

    def test_gives_instants_in_utc(self, api: Api) -> None:
        body = make(api, key="acme")

        assert body["createdAt"].endswith("Z")
        created = datetime.fromisoformat(body["createdAt"])
        assert abs((datetime.now(UTC) - created).total_seconds()) < 60

    def test_stands_in_the_audit_log(self, api: Api, rows: Rows) -> None:
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

    @for_each(
        ("changes", "fields"),
        [
            ({"name": ""}, {"/name"}),
            ({"name": "\u200b\u2060"}, {"/name"}),
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
