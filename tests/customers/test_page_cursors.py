"""A far page of a list continues behind the last row of the page before it."""

from app.customers import page_cursors


def test_are_found_again() -> None:
    known = page_cursors.PageCursors()
    known.keep(("names", 2), ("Ada", "1"))

    assert known.find(("names", 2)) == ("Ada", "1")
    assert known.find(("names", 3)) is None


def test_are_forgotten_when_there_are_too_many() -> None:
    known = page_cursors.PageCursors()
    for page in range(page_cursors.MAX_CURSORS + 1):
        known.keep(page, page)

    assert (known.find(0), known.find(1)) == (None, 1)
