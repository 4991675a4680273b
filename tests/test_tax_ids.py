"""Tax ids: what somebody typed becomes the number that Stripe takes, of the kind that the country has."""

import pytest

from app.core.reference import tax_ids
from tests.support.cases import for_each

EXAMPLES = [(country, kind) for country, kinds in tax_ids.KINDS.items() for kind in kinds]


def read(country: str, text: str) -> tuple[str | None, str]:
    number = tax_ids.read(country, text)
    return number.type, number.value


@for_each(("country", "kind"), EXAMPLES)
def test_the_example_of_each_kind_is_right(country: str, kind: tax_ids.Kind) -> None:
    assert read(country, kind.example) == (kind.type, kind.example)


@pytest.mark.parametrize(
    ("country", "typed", "expected"),
    [
        ("DE", "de 136 695 976", ("eu_vat", "DE136695976")),
        ("DE", "136695976", ("eu_vat", "DE136695976")),
        ("GR", "094259216", ("eu_vat", "EL094259216")),
        ("GB", "980 7806 84", ("gb_vat", "GB980780684")),
        ("NO", "995 525 828", ("no_vat", "995525828MVA")),
        ("US", "911144442", ("us_ein", "91-1144442")),
        ("JP", "t5835678256246", ("jp_trn", "T5835678256246")),
        ("JP", "5835678256246", ("jp_cn", "5835678256246")),
        ("BR", "39053344705", ("br_cpf", "390.533.447-05")),
        ("KE", " P051 092 ", (None, "P051 092")),
    ],
)
def test_reads_a_number_as_people_write_it(
    country: str, typed: str, expected: tuple[str | None, str]
) -> None:
    assert read(country, typed) == expected


@pytest.mark.parametrize(
    ("country", "typed", "example"),
    [
        ("DE", "136695978", "DE136695976"),
        ("DE", "FR40303265045", "DE136695976"),
        ("US", "hello", "91-1144442"),
        ("AE", "12", "123456789012345"),
    ],
)
def test_refuses_a_number_that_the_country_has_not(country: str, typed: str, example: str) -> None:
    with pytest.raises(tax_ids.InvalidTaxId) as refused:
        tax_ids.read(country, typed)

    assert refused.value.example == example
