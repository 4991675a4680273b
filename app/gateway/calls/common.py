"""What all calls to Stripe share: our errors instead of the SDK's, and plain data instead of its objects.

The SDK leaves out parameters that are None.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from app.gateway.errors import translate_errors

KEY_LIFETIME = timedelta(hours=20)  # Stripe forgets an idempotency key after a day at the earliest


class Calls:
    """Calls in the name of one account and mode. The subclasses group them by what they are about."""

    _v1: Any  # the SDK's services: its types want a TypedDict for each request


def ask(call: Callable[..., Any], *names: str, **given: Any) -> dict[str, Any]:
    """Call a method of the SDK, and return the object that Stripe answers."""
    with translate_errors():
        answer: dict[str, Any] = call(*names, **given).to_dict(for_json=True)
    return answer


def ask_all(call: Callable[..., Any], *names: str, **params: Any) -> Iterator[dict[str, Any]]:
    """Call a method of the SDK that lists objects, and give each of them, page after page."""
    with translate_errors():
        for listed in call(*names, params={"limit": 100, **params}).auto_paging_iter():
            yield listed.to_dict(for_json=True)
