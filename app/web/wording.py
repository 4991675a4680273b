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
        "Go back, reload the page and try again. Cookies have to be allowed for this site.",
    ),
    401: Words("Log in first", "This page is for people who have logged in.", "Log in, then try again."),
    403: Words(
        "You don't have access to this page",
        "Your account isn't allowed to open it.",
        "If you think that you need it, ask the person who sent you here.",
    ),
    404: Words(
        "There is nothing at this address",
        "The address may be mistyped, or the page may have moved.",
        "Check the address, or open the link that you were sent again.",
    ),
    405: Words(
        "This page can't be opened like that",
        "It is a step of a form, and can't be opened on its own.",
        "Start from the beginning instead. Nothing that you saved is lost.",
    ),
    408: Words(
        "That took too long",
        "Your browser didn't finish sending the page.",
        "Check your connection and try again.",
    ),
    409: Words(
        "Something else was quicker",
        "The same thing was being done in another window or by somebody else at the same moment.",
        "Wait a few seconds, go back, reload the page and look at what is there now.",
    ),
    412: Words(
        "This is no longer possible",
        "Something has changed since this page was opened. Nothing was changed by this try.",
        "Go back, reload the page and look at what is there now.",
    ),
    413: Words(
        "That is too long",
        "You entered more than this page takes. Nothing was stored.",
        "Go back, shorten what you entered and send it again.",
    ),
    414: Words(
        "That address is too long",
        "Your browser asked for an address that is longer than this site accepts. Nothing was changed.",
        "Check the address, or start again.",
    ),
    415: Words(
        "We couldn't read that", "It came in a form that this page doesn't take.", "Go back and try again."
    ),
    429: Words(
        "Please wait a moment",
        "There were many tries in a short time, from you or from somebody on the same network. "
        "Nothing was stored or charged by this one.",
        "Wait a few minutes, then try again. What you saved before is safe.",
    ),
    431: Words(
        "Your browser sent too much",
        "Its cookies or other headers are larger than this site accepts. Nothing was changed.",
        "Delete the cookies of this site, then open the page again.",
    ),
    500: Words(
        "Something went wrong",
        "The fault is ours, and it has been recorded.",
        "Wait a minute, then go back and try again.",
    ),
    501: Words(
        "We don't offer that", "This page can't do what was asked.", "Go back and choose another way."
    ),
    503: Words(
        "We can't do that just now",
        "A part of this service doesn't answer. What you saved before is safe.",
        "Wait a minute, then reload this page.",
    ),
}


def is_phrase(title: str) -> bool:
    """Is a title one of HTTP's own phrases, which people should not have to read?"""
    return title.lower() in PHRASES or title.lower() in {"request entity too large", "request uri too large"}


def of_status(status: int) -> Words:
    """The words for a status; those of its class for one that is rare."""
    return KINDS.get(status) or KINDS[500 if status >= 500 else 400]
