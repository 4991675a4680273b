"""Customers as programs make and read them."""

from typing import Any

from tests.support.api import JSON, Api

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
