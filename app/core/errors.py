"""The few kinds of failure we can explain; everything else is a bug and goes to the log."""

from collections.abc import Mapping


class AppError(Exception):
    """A failure with a sentence for the person who caused or met it.

    `fields` names the bad fields of a form or body and says what is wrong with each.
    """

    status = 500
    title = "Something went wrong"
    advice: str | None = None  # what people can do; None leaves it to the status
    is_passing = False  # would the same request, sent again, have a chance?

    def __init__(self, detail: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields = dict(fields or {})


class Invalid(AppError):
    """What was asked for is not allowed; nothing was changed."""

    status = 400
    title = "Bad Request"


class Unauthorized(AppError):
    """We do not know who is asking."""

    status = 401
    title = "Unauthorized"


class Forbidden(AppError):
    """We know who is asking, and they may not do this."""

    status = 403
    title = "Forbidden"


class NotFound(AppError):
    """There is no such thing, or the caller may not see it."""

    status = 404
    title = "Not Found"


class Conflict(AppError):
    """Something else holds the name or the place that was asked for."""

    status = 409
    title = "Conflict"


class Unsupported(AppError):
    """Others offer it, and we do not."""

    status = 501
    title = "Not Implemented"


class PreconditionFailed(AppError):
    """The request is fine, but the state of things forbids it."""

    status = 412
    title = "Precondition Failed"
