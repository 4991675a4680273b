"""Error answers in Stripe's format and words.

Source: https://docs.stripe.com/api/errors and https://docs.stripe.com/error-codes.
"""

from app.simulator.store import JSON

DOCUMENTATION = "https://stripe.com/docs/error-codes/"


class StripeError(Exception):
    """A request that gets an error object as its answer.

    `happened` means that the request changed something anyway, as a declined card does. Its changes and its
    idempotency record stay. Any other error rolls the request back.
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
    """Return the error for an unknown id: 400 in a parameter, 404 in the path."""
    message = f"No such {kind}: '{identifier}'"
    return StripeError(message, status=status, code="resource_missing", param=param)


def missing_parameter(param: str) -> StripeError:
    return StripeError(f"Missing required param: {param}.", code="parameter_missing", param=param)


def mutually_exclusive(first: str, second: str) -> StripeError:
    message = f"You may only specify one of these parameters: {first}, {second}."
    return StripeError(message, param=first)


def unrecognized_url(method: str, path: str) -> StripeError:
    return StripeError(
        f"Unrecognized request URL ({method}: {path}). If you are trying to list objects, remove the "
        "trailing slash. If you are trying to retrieve an object, make sure you passed a valid "
        "(non-empty) identifier in your code.",
        status=404,
    )


def rate_limited(seconds: float) -> StripeError:
    """Return the 429 that asks the caller to wait for `seconds`."""
    return StripeError(
        "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
        status=429,
        code="rate_limit",
        retry_after=seconds,
    )
