"""A sealed secret opens with any of the keys, in its own row, and nowhere else."""

import pytest
from cryptography.fernet import Fernet

from app.core.errors import AppError
from app.core.secrets.sealing import Sealer, Unsealable

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))
ROW = "app:01J:api_key"


def test_opens_what_was_sealed() -> None:
    sealed = Sealer([OLD]).seal("sk_test_é\n\x00", ROW)

    assert Sealer([OLD]).open(sealed, ROW) == "sk_test_é\n\x00"


def test_hides_the_secret_and_its_row() -> None:
    sealed = Sealer([OLD]).seal("sk_test_secret", ROW)

    assert "sk_test" not in sealed
    assert "01J" not in sealed


def test_seals_the_same_secret_differently_each_time() -> None:
    sealer = Sealer([OLD])

    assert sealer.seal("secret", ROW) != sealer.seal("secret", ROW)


def test_opens_with_any_key_and_seals_with_the_first() -> None:
    rotated = Sealer([NEW, OLD])

    assert rotated.open(Sealer([OLD]).seal("secret", ROW), ROW) == "secret"
    assert Sealer([NEW]).open(rotated.seal("secret", ROW), ROW) == "secret"


def test_refuses_a_value_sealed_with_an_unknown_key() -> None:
    sealed = Sealer([OTHER]).seal("secret", ROW)

    with pytest.raises(Unsealable, match="No key in GANGWAY_ENCRYPTION_KEYS opens the secret of app:01J"):
        Sealer([NEW, OLD]).open(sealed, ROW)


def test_refuses_a_value_that_was_moved_from_another_row() -> None:
    sealed = Sealer([OLD]).seal("secret", ROW)

    with pytest.raises(Unsealable, match="sealed for another row"):
        Sealer([OLD]).open(sealed, "app:02K:api_key")


@pytest.mark.parametrize(
    "damage",
    [
        lambda s: s[:-5],
        lambda s: s[:20] + ("B" if s[20] == "A" else "A") + s[21:],
        lambda _s: "",
        lambda _s: "é",
    ],
)
def test_refuses_a_damaged_value(damage: object) -> None:
    assert callable(damage)
    sealed = damage(Sealer([OLD]).seal("secret", ROW))

    with pytest.raises(Unsealable):
        Sealer([OLD]).open(sealed, ROW)


def test_says_what_is_wrong_as_an_error_that_can_be_explained() -> None:
    assert issubclass(Unsealable, AppError)
