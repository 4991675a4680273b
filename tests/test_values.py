"""Plain values are compared, printed and copied as frozen dataclasses are."""

import builtins
from dataclasses import asdict, field, replace
from typing import Any

import pytest

from app.core.values import frozen


@frozen(kw_only=True)
class Money:
    """An amount, and who may know it."""

    amount: int
    currency: str = "EUR"
    secret: str = field(default="", repr=False)


@frozen
class Empty:
    """Has no fields."""


@frozen
class Discount(Money):
    """The same fields in another class."""


def test_are_equal_when_all_their_fields_are() -> None:
    assert Money(amount=1) == Money(amount=1, currency="EUR")
    assert Money(amount=1) != Money(amount=2)
    assert Empty() == Empty()


def test_are_not_equal_to_values_of_another_class() -> None:
    assert Money(amount=1) != Discount(amount=1)
    assert Money(amount=1).__eq__((1, "EUR", "")) is NotImplemented


def test_have_one_place_in_a_set_when_they_are_equal() -> None:
    assert len({Money(amount=1), Money(amount=1), Money(amount=2), Discount(amount=1)}) == 3


def test_print_their_fields_but_not_the_secret_ones() -> None:
    assert repr(Money(amount=1, secret="sesame")) == "Money(amount=1, currency='EUR')"


def test_take_fields_by_name_only_where_their_class_says_so() -> None:
    with pytest.raises(TypeError):
        Money(1)  # type: ignore[call-arg]


def test_are_changed_in_a_copy() -> None:
    euro = Money(amount=1)

    dollar = replace(euro, currency="USD")

    assert asdict(dollar) == {"amount": 1, "currency": "USD", "secret": ""}
    assert euro.currency == "EUR"


def test_are_kept_from_changes_by_mypy() -> None:
    money = Money(amount=1)

    money.amount = 2  # type: ignore[misc]  # mypy would say so if it needed no ignoring

    assert money.amount == 2


def test_compile_nothing_but_what_makes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled, run = [], builtins.exec

    def note(text: str, *places: Any) -> None:
        compiled.append(text)
        run(text, *places)

    monkeypatch.setattr(builtins, "exec", note)

    @frozen
    class Fee:
        amount: int

    methods = "".join(compiled)
    assert Fee(1).amount == 1
    assert "__init__" in methods
    assert not any(name in methods for name in ("__eq__", "__hash__", "__repr__", "__setattr__"))
