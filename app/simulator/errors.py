"""Refusals in Stripe's own shape and words.

Source: https://docs.stripe.com/api/errors and https://docs.stripe.com/error-codes.
"""

from app.simulator.shapes import JSON

DOCUMENTATION = "https://stripe.com/docs/error-codes/"


class StripeError(Exception):
    """A request that is answered with an error object.

    `happened` says that the refusal left something behind, as a declined card does: the store keeps it,
    and so does the idempotency record. Any other refusal leaves no trace.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        happened: bool = False,
        retry_after: float = 0,
        **more: object,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.happened = happened
        self.retry_after = retry_after
        self.error: JSON = {"message": message, "type": kind}
        if code:
            self.error |= {"code": code, "doc_url": DOCUMENTATION + code.replace("_", "-")}
        self.error |= {name: value for name, value in more.items() if value is not None}


def missing_resource(kind: str, identifier: str, param: str, *, status: int = 400) -> StripeError:
    """A reference to nothing: 400 when a parameter made it, 404 when the path did."""
    message = f"No such {kind}: '{identifier}'"
    return StripeError(message, status=status, code="resource_missing", param=param)


def missing_parameter(param: str) -> StripeError:
    return StripeError(f"Missing required param: {param}.", code="parameter_missing", param=param)


def exclusive(first: str, second: str) -> StripeError:
    message = f"You may only specify one of these parameters: {first}, {second}."
    return StripeError(message, param=first)


def unrecognized_url(method: str, path: str) -> StripeError:
    return StripeError(
        f"Unrecognized request URL ({method}: {path}). If you are trying to list objects, remove the "
        "trailing slash. If you are trying to retrieve an object, make sure you passed a valid "
        "(non-empty) identifier in your code.",
        status=404,
    )
