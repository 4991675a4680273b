"""A far page of a list continues behind the last row of the page before it."""

from app.customers import anchors


def test_are_found_again() -> None:
    known = anchors.Anchors()
    known.keep(("names", 2), ("Ada", "1"))

    assert known.find(("names", 2)) == ("Ada", "1")
    assert known.find(("names", 3)) is None


def test_are_forgotten_when_there_are_too_many() -> None:
    known = anchors.Anchors()
    for page in range(anchors.MAX_ANCHORS + 1):
        known.keep(page, page)

    assert (known.find(0), known.find(1)) == (None, 1)
