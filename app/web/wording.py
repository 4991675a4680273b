"""What people read when a page fails: what happened, what to do, and how long it takes."""

from dataclasses import dataclass
from http import HTTPStatus

PHRASES = {
    status.phrase.lower() for status in HTTPStatus
}  # such as "Precondition Failed": words for programs


@dataclass(frozen=True)
class Words:
    """One kind of failure."""

    heading: str
    happened: str
    advice: str


KINDS = {
    400: Words(
        "We couldn't read that",
        "Your browser sent something that this page doesn't understand. Nothing was changed.",
        "Go back, reload the page and try again. Make sure that cookies are allowed for this site.",
    ),
    401: Words("Log in first", "You need to log in to see this page.", "Log in, then try again."),
    403: Words(
        "You don't have access to this page",
        "Your account isn't allowed to open it.",
        "If you need access, ask the person who sent you here.",
    ),
    404: Words(
        "We can't find this page",
        "The address may be mistyped, or the page may have moved.",
        "Check the address, or open the link we sent you again.",
    ),
    405: Words(
        "This page can't be opened directly",
        "It's one step of a form, so it can't be opened on its own.",
        "Start from the beginning instead. Everything you saved is safe.",
    ),
    408: Words(
        "That took too long",
        "Your browser didn't finish sending the page.",
        "Check your connection and try again.",
    ),
    409: Words(
        "This was being done at the same time",
        "Another window or another person was doing the same thing.",
        "Wait a few seconds, then go back and reload the page to see the latest.",
    ),
    412: Words(
        "This is no longer possible",
        "Something changed after you opened this page, so nothing was done this time.",
        "Go back and reload the page to see the latest.",
    ),
    413: Words(
        "That is too long",
        "You entered more than this page accepts. Nothing was saved.",
        "Go back, shorten it and send it again.",
    ),
    414: Words(
        "That address is too long",
        "Your browser asked for an address that is longer than this site accepts. Nothing was changed.",
        "Check the address, or start again.",
    ),
    415: Words(
        "We couldn't read that",
        "It came in a format that this page doesn't accept.",
        "Go back and try again.",
    ),
    429: Words(
        "Please wait a moment",
        "There were many attempts in a short time, from you or from someone on the same network. "
        "Nothing was saved or charged this time.",
        "Wait a few minutes, then try again. Everything you saved before is safe.",
    ),
    431: Words(
        "Your browser sent too much",
        "Its cookies or other headers are larger than this site accepts. Nothing was changed.",
        "Delete the cookies of this site, then open the page again.",
    ),
    500: Words(
        "Something went wrong",
        "The problem is on our side, and we've recorded it.",
        "Wait a minute, then go back and try again.",
    ),
    501: Words(
        "We don't offer that", "This page can't do what was asked.", "Go back and choose another way."
    ),
    503: Words(
        "We can't do that right now",
        "Part of this service isn't responding. Everything you saved before is safe.",
        "Wait a minute, then reload this page.",
    ),
}


def is_phrase(title: str) -> bool:
    """Is a title one of HTTP's own phrases, which people should not have to read?"""
    return title.lower() in PHRASES or title.lower() in {"request entity too large", "request uri too large"}


def of_status(status: int) -> Words:
    """The words for a status; those of its class for one that is rare."""
    return KINDS.get(status) or KINDS[500 if status >= 500 else 400]
