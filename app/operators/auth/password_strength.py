"""How easily a password is guessed: zxcvbn's estimate, without its shared state and within a bound of time.

Its own function keeps the words about a person where all threads see them. It also tries every combination of
letters that look like `4@8(`: one password of 72 such characters takes half a minute. So its parts are used
here: its matchers and its estimate, with a dictionary of this call's own and few of those combinations.
Source: https://github.com/dwolfhub/zxcvbn-python
"""

import re
from collections.abc import Iterable, Iterator
from math import prod
from typing import Any

from app.core.values import frozen

MAX_COMBINATIONS = 4  # of letters that look like others; each costs one walk of the dictionaries
REPEATS = tuple(re.compile(pattern, re.DOTALL) for pattern in (r"(.+?)\1+", r"(.+)\1+"))
SHORTEST_REPEAT = re.compile(r"(.+?)\1*", re.DOTALL)

Match = dict[str, Any]
Dictionaries = dict[str, dict[str, int]]


@frozen
class Estimate:
    """A score of 0 to 4, and what zxcvbn says about it."""

    score: int
    warning: str
    suggestions: tuple[str, ...]


def estimate(password: str, words: Iterable[str]) -> Estimate:
    """Estimate how easily somebody who knows these words guesses a password."""
    from zxcvbn import feedback, matching, scoring, time_estimates  # noqa: PLC0415  (see `_matches`)

    known = matching.build_ranked_dict(list(dict.fromkeys(word.lower() for word in words if word)))
    dictionaries = matching.RANKED_DICTIONARIES | {"user_inputs": known}
    found = scoring.most_guessable_match_sequence(password, _matches(password, dictionaries))
    score = time_estimates.guesses_to_score(found["guesses"])
    told = feedback.get_feedback(score, found["sequence"])
    return Estimate(score, told["warning"], tuple(told["suggestions"]))


def _matches(password: str, dictionaries: Dictionaries) -> list[Match]:
    """What zxcvbn's `omnimatch` finds.

    Its word lists take 15 MB, so they are read when the first password is judged.
    """
    from zxcvbn import matching  # noqa: PLC0415

    found: list[Match] = [
        *matching.dictionary_match(password, dictionaries),
        *matching.reverse_dictionary_match(password, dictionaries),
        *matching.l33t_match(password, dictionaries, _lookalikes(password)),
        *matching.spatial_match(password),
        *matching.sequence_match(password),
        *matching.regex_match(password),
        *matching.date_match(password),
        *_repeats(password, dictionaries),
    ]
    return sorted(found, key=lambda match: (match["i"], match["j"]))


def _lookalikes(password: str) -> dict[str, list[str]]:
    """Which characters are read as which letters: all of them, or one for each letter."""
    from zxcvbn import matching  # noqa: PLC0415

    table: dict[str, list[str]] = matching.relevant_l33t_subtable(password, matching.L33T_TABLE)
    if prod(map(len, table.values())) <= MAX_COMBINATIONS:
        return table
    chosen: dict[str, list[str]] = {}
    for letter, signs in table.items():
        free = [sign for sign in signs if [sign] not in chosen.values()]  # or one sign makes two combinations
        if free:
            chosen[letter] = [max(free, key=password.count)]
    return chosen


def _repeats(password: str, dictionaries: Dictionaries) -> Iterator[Match]:
    """The same text again and again: as easy to guess as once, and the number of times."""
    from zxcvbn import scoring  # noqa: PLC0415

    for pattern in REPEATS:
        for repeat in pattern.finditer(password):
            shortest = SHORTEST_REPEAT.fullmatch(repeat[0])
            assert shortest is not None  # once is enough for it
            base = shortest[1]
            once = scoring.most_guessable_match_sequence(base, _matches(base, dictionaries))
            yield {
                "pattern": "repeat",
                "i": repeat.start(),
                "j": repeat.end() - 1,
                "token": repeat[0],
                "base_token": base,
                "base_guesses": once["guesses"],
                "base_matches": once["sequence"],
                "repeat_count": len(repeat[0]) / len(base),
            }
