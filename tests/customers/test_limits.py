"""A request that is too large is refused with the field's name, and before anything is read or stored."""

from app.customers import Customer
from tests.support.api import Api, wrong_fields
from tests.support.customers import make, subjects
from tests.support.rows import Rows

LONG_EMAIL = "a" * 243 + "@example.com"  # 255 characters


def test_an_email_has_254_characters_at_most(api: Api, rows: Rows) -> None:
    kept = make(api, key="acme", primaryEmail=LONG_EMAIL[1:])

    answer = api.post("/customers", {"name": "A", "key": "other", "primaryEmail": LONG_EMAIL})
    changed = api.put("/customers/acme", {"name": "A", "key": "acme", "primaryEmail": LONG_EMAIL})

    assert wrong_fields(answer) == wrong_fields(changed) == {"/primaryEmail"}
    assert [row.primary_email for row in rows(Customer)] == [kept["primaryEmail"]]


def test_a_customer_has_1000_subject_keys_at_most(api: Api, rows: Rows) -> None:
    keys = [f"meter-{number}" for number in range(1001)]
    make(api, key="acme", usageAttribution=subjects(*keys[:1000]))

    answer = api.post("/customers", {"name": "A", "key": "other", "usageAttribution": {"subjectKeys": keys}})

    assert wrong_fields(answer) == {"/usageAttribution/subjectKeys"}
    [row] = rows(Customer)
    assert len(row.subject_keys) == 1000


def test_many_bad_keys_are_one_error(api: Api) -> None:
    answer = api.post("/customers", {"name": "A", "usageAttribution": {"subjectKeys": [""] * 15_000}})

    assert wrong_fields(answer) == {"/usageAttribution/subjectKeys"}
