"""What people read when a page fails: what happened, what to do, and how long it takes."""

from http import HTTPStatus

from app.core.values import frozen
from app.web.languages import lazy_gettext as _

PHRASES = {
    status.phrase.lower() for status in HTTPStatus
}  # such as "Precondition Failed": words for programs


@frozen
class Words:
    """One kind of failure."""

    heading: str
    happened: str
    advice: str


KINDS = {
    400: Words(
        _("We couldn’t read that"),
        _("Your browser sent something that this page doesn’t understand. Nothing was changed."),
        _("Go back, reload the page and try again. Make sure that cookies are allowed for this site."),
    ),
    401: Words(_("Log in first"), _("You need to log in to see this page."), _("Log in, then try again.")),
    403: Words(
        _("You don’t have access to this page"),
        _("Your account isn’t allowed to open it."),
        _("If you need access, ask the person who sent you here."),
    ),
    404: Words(
        _("We can’t find this page"),
        _("The address may be mistyped, or the page may have moved."),
        _("Check the address, or open the link we sent you again."),
    ),
    405: Words(
        _("This page can’t be opened directly"),
        _("It’s one step of a form, so it can’t be opened on its own."),
        _("Start from the beginning instead. Everything you saved is safe."),
    ),
    408: Words(
        _("That took too long"),
        _("Your browser didn’t finish sending the page."),
        _("Check your connection and try again."),
    ),
    409: Words(
        _("This was being done at the same time"),
        _("Another window or another person was doing the same thing."),
        _("Wait a few seconds, then go back and reload the page to see the latest."),
    ),
    412: Words(
        _("This is no longer possible"),
        _("Something changed after you opened this page, so nothing was done this time."),
        _("Go back and reload the page to see the latest."),
    ),
    413: Words(
        _("That is too long"),
        _("You entered more than this page accepts. Nothing was saved."),
        _("Go back, shorten it and send it again."),
    ),
    414: Words(
        _("That address is too long"),
        _("Your browser asked for an address that is longer than this site accepts. Nothing was changed."),
        _("Check the address, or start again."),
    ),
    415: Words(
        _("We couldn’t read that"),
        _("It came in a format that this page doesn’t accept."),
        _("Go back and try again."),
    ),
    429: Words(
        _("Please wait a moment"),
        _(
            "There were many attempts in a short time, from you or from someone on the same network. "
            "Nothing was saved or charged this time."
        ),
        _("Wait a few minutes, then try again. Everything you saved before is safe."),
    ),
    431: Words(
        _("Your browser sent too much"),
        _("Its cookies or other headers are larger than this site accepts. Nothing was changed."),
        _("Delete the cookies of this site, then open the page again."),
    ),
    500: Words(
        _("Something went wrong"),
        _("The problem is on our side, and we’ve recorded it."),
        _("Wait a minute, then go back and try again."),
    ),
    501: Words(
        _("We don’t offer that"),
        _("This page can’t do what was asked."),
        _("Go back and choose another way."),
    ),
    503: Words(
        _("We can’t do that right now"),
        _("Part of this service isn’t responding. Everything you saved before is safe."),
        _("Wait a minute, then reload this page."),
    ),
}


def is_phrase(title: str) -> bool:
    """Is a title one of HTTP's own phrases, which people should not have to read?"""
    return title.lower() in PHRASES or title.lower() in {"request entity too large", "request uri too large"}


def of_status(status: int) -> Words:
    """The words for a status; those of its class for one that is rare."""
    return KINDS.get(status) or KINDS[500 if status >= 500 else 400]
