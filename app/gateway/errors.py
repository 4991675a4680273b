"""What can go wrong at Stripe, in our words; Stripe's own words are kept where people can use them."""

from collections.abc import Iterator
from contextlib import contextmanager

import stripe

from app.core.errors import Invalid, PreconditionFailed


class StripeFailed(PreconditionFailed):
    """Stripe did not do what we asked, and we changed nothing."""

    title = "Stripe did not accept this"
    is_passing = True


class StripeUnavailable(StripeFailed):
    """Stripe gave no answer, or one that says: later. Asking again is right."""

    title = "Stripe is not answering"

    def __init__(self, detail: str, *, retry_after: float | None = None, is_unanswered: bool = False) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.is_unanswered = is_unanswered  # Stripe may have done what was asked all the same


class StripeInProgress(StripeUnavailable):
    """Another request with the same idempotency key is still running."""


class StripeFailureStored(StripeUnavailable):
    """Stripe stored a failure under the idempotency key, and answers every repeat with it.

    The first request may have taken effect anyway. Asking again takes another key.
    Source: https://docs.stripe.com/api/idempotent_requests
    """


class StripeKeyRejected(StripeFailed):
    """Stripe does not know our API key, or no longer."""

    title = "Stripe rejected the API key"


class StripePermissionMissing(StripeFailed):
    """The API key is restricted and lacks a permission, which Stripe's message names."""

    title = "The Stripe API key lacks a permission"


class StripeObjectMissing(StripeFailed):
    """Stripe has no such object in this account and mode."""

    title = "Not found at Stripe"


class StripeRefused(Invalid):
    """Stripe rejected the parameters; the detail is Stripe's own sentence."""

    def __init__(self, detail: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(detail, fields={param: detail} if param else None)
        self.code = code


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn the SDK's errors into ours.

    Codes are read from the error body, because `.code` is None on several of the SDK's classes.
    Source: https://docs.stripe.com/api/errors
    """
    try:
        yield
    except stripe.AuthenticationError as error:
        raise StripeKeyRejected("Stripe rejected the API key.") from error
    except stripe.PermissionError as error:
        raise StripePermissionMissing(_words(error)) from error
    except stripe.RateLimitError as error:
        raise StripeUnavailable(
            "Stripe asks us to slow down.", retry_after=_seconds(error.headers)
        ) from error
    except stripe.APIConnectionError as error:
        raise StripeUnavailable("Stripe can't be reached.", is_unanswered=True) from error
    except stripe.CardError as error:
        raise StripeRefused(_words(error), code=_code(error)) from error
    except stripe.InvalidRequestError as error:
        if _code(error) == "resource_missing" and error.http_status == 404:
            raise StripeObjectMissing(_words(error)) from error
        raise StripeRefused(_words(error), param=error.param, code=_code(error)) from error
    except stripe.StripeError as error:
        if error.http_status == 409:
            raise StripeInProgress("Stripe is still working on the same request.") from error
        if _is_stored(error):
            raise StripeFailureStored("Stripe had a problem.") from error
        if error.http_status is not None and 400 <= error.http_status < 500:
            raise StripeFailed(_words(error)) from error
        raise StripeUnavailable("Stripe had a problem.") from error


def _is_stored(error: "stripe.StripeError") -> bool:
    """Is this idempotency key used up, by a failure or by another request?"""
    replayed = _header(error.headers, "idempotent-replayed") == "true"
    return isinstance(error, stripe.IdempotencyError) or (replayed and (error.http_status or 0) >= 500)


def _code(error: "stripe.StripeError") -> str | None:
    return error.code or (error.error.code if error.error else None)


def _words(error: "stripe.StripeError") -> str:
    return error.user_message or (error.error.message if error.error else None) or "Stripe gave no reason."


MAX_PAUSE = 120.0  # seconds; Stripe asks for few, and who asks for an hour must not stop us for an hour


def _seconds(headers: dict[str, str] | None) -> float | None:
    value = _header(headers, "retry-after")
    return min(float(value), MAX_PAUSE) if value.isdecimal() else None


def _header(headers: dict[str, str] | None, name: str) -> str:
    return {key.lower(): value for key, value in (headers or {}).items()}.get(name, "")
