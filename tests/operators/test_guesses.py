"""A new password is judged whole, by what somebody knows of its owner, and quickly."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.operators.auth import password_strength
from app.operators.auth.passwords import MAX_LENGTH, MIN_SCORE
from tests.support.cases import for_each

LOOKALIKES = "4@8({[<3691!|7105$+%2"


@for_each(
    "password",
    ["correct horse battery staple", "nine purple umbrellas", "Xk9#vQ2!mZ7&pL", "ünîcödé wörds büy çhëese"],
)
def test_good_ones_pass(password: str) -> None:
    assert password_strength.estimate(password, []).score >= MIN_SCORE


@for_each(
    "password",
    [
        "password1234",
        "P@ssw0rd1234",
        "qwertyuiop[]",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "drowssap1234",
    ],
)
def test_what_everybody_tries_fails(password: str) -> None:
    found = password_strength.estimate(password, [])

    assert found.score < MIN_SCORE
    assert found.warning or found.suggestions


def test_knows_the_words_of_one_person_only() -> None:
    assert password_strength.estimate("blemgroptisk", ["Blemgroptisk"]).score < MIN_SCORE
    assert password_strength.estimate("blemgroptiskblemgroptisk", ["blemgroptisk"]).score < MIN_SCORE
    assert password_strength.estimate("blemgroptisk", []).score >= MIN_SCORE


def test_people_at_the_same_time_do_not_meet() -> None:
    words = [f"blemgroptisk{number}zu" for number in range(12)]

    def scores(word: str) -> tuple[int, int]:
        return password_strength.estimate(word, [word]).score, password_strength.estimate(word, []).score

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(scores, words))

    assert all(own < MIN_SCORE <= without for own, without in found)


@pytest.mark.timeout(60)
@for_each(
    "password",
    [
        (LOOKALIKES * 7)[:MAX_LENGTH],
        "".join(LOOKALIKES[number * number * 7 % 21] for number in range(64)) * 2,
        "a" * MAX_LENGTH,
        "ab" * 64,
        "1/1/1901" * 16,
        "x" * 127 + "y",
    ],
)
def test_no_password_takes_long(password: str) -> None:
    """zxcvbn alone takes more than minutes for the first two."""
    assert password_strength.estimate(password, []).score in range(5)
