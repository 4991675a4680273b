"""How often somebody may do what costs us, or what guesses at secrets.

A request is counted before its work starts, so that many at once can't pass together. It gets its count back
when it fails through our fault, or when it turns out not to count.
"""

import math
import time
from collections.abc import Callable, Iterable
from functools import partial, wraps
from threading import Lock
from typing import Any, TypeVar

import structlog
from flask import Flask, Response, current_app, g, request, url_for
from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import HTTPException

from app.core.config import Settings
from app.core.errors import AppError
from app.web.addresses.client_address import client_address
from app.web.languages import gettext, lazy_gettext, ngettext

log = structlog.get_logger("gangway.limits")

STORAGE_TIMEOUT = 0.4  # seconds to connect, and as many to answer
RETRY_INTERVAL = 10.0  # seconds until a storage that was away is asked again
SWEEP_INTERVAL = 60.0  # seconds

Result = TypeVar("Result")
View = Callable[..., Any]


class TooMany(AppError):
    """Somebody did something too often, and may do it again after some seconds."""

    status = 429
    title = lazy_gettext("Please wait a moment")

    def __init__(self, seconds: float, what: str | None = None) -> None:
        self.retry_after = max(1, math.ceil(seconds))
        g.retry_after = self.retry_after
        what = what or gettext("a lot of attempts in a short time")
        super().__init__(
            gettext(
                "That was %(what)s. Nothing was changed. Try again in %(duration)s.",
                what=what,
                duration=duration(self.retry_after),
            )
        )


class OwnStorage(MemoryStorage):
    """The counts of this process.

    The library starts a thread whenever it counts, which looks through all counts for those that are over.
    Here one thread after another counts, and one of them a minute does that in passing.
    """

    def __init__(self) -> None:
        self._counting = Lock()
        self._swept_at = 0.0
        super().__init__()

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count something."""
        now = time.time()
        with self._counting:
            if now >= self._swept_at + SWEEP_INTERVAL:
                self._swept_at = now
                self._forget_what_is_over(now)
            if self.expirations.get(key, 0.0) <= now:
                self.storage[key], self.expirations[key] = 0, now + expiry
            self.storage[key] += amount
            return self.storage[key]

    def get(self, key: str) -> int:
        """Return a count. The library deletes one that is over, so nobody may count meanwhile."""
        with self._counting:
            return super().get(key)

    def clear(self, key: str) -> None:
        """Forget a count."""
        with self._counting:
            super().clear(key)

    def _forget_what_is_over(self, now: float) -> None:
        for key in [key for key, end in self.expirations.items() if end <= now]:
            super().clear(key)


class Spent:
    """A count that was taken, and can be given back."""

    def __init__(self, limits: "Limits", limiter: FixedWindowRateLimiter, keys: dict[str, int]) -> None:
        self._limits = limits
        self._limiter = limiter
        self._keys = keys  # with the seconds after which each ends

    def give_back(self) -> None:
        """Let it count as if nothing had been asked."""
        self._limits.attempt(self._limiter, partial(_give_back, self._limiter, self._keys))


class Limits:
    """The counts of one application: in its process, or shared by all in Redis.

    While Redis does not answer, the process counts for itself. It asks again every ten seconds, so a Redis
    that hangs delays one request in that time by less than a second.
    """

    def __init__(self, uri: str) -> None:
        self._own = FixedWindowRateLimiter(OwnStorage())
        self._shared = None if uri.startswith("memory") else FixedWindowRateLimiter(_open(uri))
        self._failures: tuple[type[Exception], ...] = (OSError, *_errors(self._shared or self._own))
        self._is_away = False
        self._ask_again_at = 0.0

    def spend(self, budget: str, *key: str) -> Spent:
        """Count something. Raises TooMany when that is more than the budget allows."""
        return self.spend_items([(item, key) for item in parse_many(budget)])

    def spend_items(self, items: Iterable[tuple[RateLimitItem, tuple[str, ...]]]) -> Spent:
        """Count something in each of several budgets. Raises TooMany, and then counts it in none."""
        wanted = list(items)
        if self._shared is not None and self._may_ask():
            spent = self.attempt(self._shared, partial(self._spend, self._shared, wanted))
            if spent is not None:
                return spent
        return self._spend(self._own, wanted)

    def allows(self, items: Iterable[tuple[RateLimitItem, tuple[str, ...]]]) -> bool:
        """Count something in each of several budgets, if that is not more than they allow."""
        try:
            self.spend_items(items)
        except TooMany:
            g.pop("retry_after", None)
            return False
        return True

    def clear(self, items: Iterable[tuple[RateLimitItem, tuple[str, ...]]]) -> None:
        """Forget what was counted."""
        for item, key in items:
            self._own.clear(item, *key)
            if self._shared is not None and self._may_ask():
                self.attempt(self._shared, partial(self._shared.clear, item, *key))

    def reset(self) -> None:
        """Forget what this process has counted."""
        self._own.storage.reset()
        self._is_away, self._ask_again_at = False, 0.0

    def check(self) -> bool:
        """Are limits counted where the settings say? Asks Redis, if that is due."""
        if self._shared is not None and self._may_ask():
            self.attempt(self._shared, partial(self._shared.storage.get, "gangway-check"))
        return not self._is_away

    def attempt(self, limiter: FixedWindowRateLimiter, work: Callable[[], Result]) -> Result | None:
        """Do something with a storage. When it is away, return None and leave it alone for a while."""
        try:
            result = work()
        except self._failures as error:
            if not self._is_away:
                log.warning("rate_limits_per_process", reason=type(error).__name__)
            self._is_away, self._ask_again_at = True, time.monotonic() + RETRY_INTERVAL
            return None
        if self._is_away and limiter is self._shared:
            self._is_away = False
            log.info("rate_limits_shared_again")
        return result

    def _may_ask(self) -> bool:
        now = time.monotonic()
        if not self._is_away:
            return True
        if now < self._ask_again_at:
            return False
        self._ask_again_at = now + RETRY_INTERVAL  # this request asks, and no other meanwhile
        return True

    def _spend(
        self, limiter: FixedWindowRateLimiter, wanted: list[tuple[RateLimitItem, tuple[str, ...]]]
    ) -> Spent:
        keys = {item.key_for(*key): item.get_expiry() for item, key in wanted}
        over = [(item, key) for item, key in wanted if not limiter.hit(item, *key)]
        if over:
            ends = max(limiter.get_window_stats(item, *key).reset_time for item, key in over)
            _give_back(limiter, keys)
            raise TooMany(ends - time.time())
        return Spent(self, limiter, keys)


def limited(
    budget: Callable[[], str],
    *,
    scope: str | None = None,
    name: Callable[[], str] = client_address,
    counts: Callable[[], bool] = lambda: True,
) -> Callable[[View], View]:
    """Limit a view. `counts` says after the work whether it counts; our own failure never does."""

    def decorate(view: View) -> View:
        @wraps(view)
        def count(*args: Any, **kwargs: Any) -> Response:
            spent = current().spend(budget(), scope or str(request.endpoint), request.method, name())
            is_spent = False
            try:
                response = current_app.make_response(view(*args, **kwargs))
                is_spent = response.status_code < 500 and counts()
            except AppError as error:
                is_spent = error.status < 500 and counts()
                raise
            except HTTPException as error:
                is_spent = (error.code or 500) < 500 and counts()
                raise
            finally:
                if not is_spent:
                    spent.give_back()
            return response

        return count

    return decorate


def init_app(app: Flask, settings: Settings) -> None:
    """Count where the settings say, and say for how long a client must wait."""
    app.extensions["gangway.limits"] = Limits(settings.rate_limit_storage)

    @app.after_request
    def _tell(response: Response) -> Response:
        if response.status_code >= 500 and "spent_by_token" in g:
            g.spent_by_token.give_back()
        if response.status_code == 429 and "retry_after" in g:
            response.headers["Retry-After"] = str(g.retry_after)
        return response


def current() -> Limits:
    """Return the counts of the current application."""
    found = current_app.extensions["gangway.limits"]
    assert isinstance(found, Limits)
    return found


def duration(seconds: int) -> str:
    """Say how long that is, rounded up."""
    if seconds > 3600 * 1.5:
        return ngettext("%(num)s hour", "%(num)s hours", math.ceil(seconds / 3600))
    if seconds > 60 * 1.5:
        return ngettext("%(num)s minute", "%(num)s minutes", math.ceil(seconds / 60))
    return ngettext("%(num)s second", "%(num)s seconds", seconds)


def retry_url() -> str:
    """Return the page from which somebody can try again."""
    if request.method in {"GET", "HEAD"}:
        return request.full_path.rstrip("?")
    is_page = current_app.url_map.bind("").test(request.path, "GET")
    return request.path if is_page else url_for("onboarding.form")


def _errors(limiter: FixedWindowRateLimiter) -> tuple[type[Exception], ...]:
    found = limiter.storage.base_exceptions
    return found if isinstance(found, tuple) else (found,)


def _give_back(limiter: FixedWindowRateLimiter, keys: dict[str, int]) -> None:
    for key, expiry in keys.items():
        if limiter.storage.get(key) > 0:  # else its time is over
            limiter.storage.incr(key, expiry, -1)


def _open(uri: str) -> Any:
    from app.web import redis  # noqa: PLC0415 (an extra)

    options: dict[str, Any] = {"connection_pool": redis.pool(uri, STORAGE_TIMEOUT)}
    return storage_from_string(uri, **options)
