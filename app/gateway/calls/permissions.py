"""What a restricted API key may do, found out without reading or writing anything."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.core.errors import AppError
from app.gateway.errors import (
    StripeKeyRejected,
    StripeObjectMissing,
    StripePermissionMissing,
    StripeRefused,
    StripeUnavailable,
    translate_errors,
)

NOTHING = "gangway_probe"  # what stands behind the prefix of an id that no object has


@dataclass(frozen=True, kw_only=True)
class Permission:
    """One permission that the product uses, as Stripe's Dashboard calls it when a key is made."""

    area: str
    needed: str  # read or write
    ok: bool | None  # None: it could not be found out
    words: str  # Stripe's own when it refused
    optional: bool = False


@dataclass(frozen=True)
class Area:
    """A permission, and a call that needs it and comes to nothing."""

    name: str
    needed: str
    probe: Callable[[Any], object]
    optional: bool = False


# Each call is about an object that does not exist. Whether the key may make it is decided before the object
# is looked up, so 403 means no and 404 means yes; there is nothing that could be changed.
# Source: https://docs.stripe.com/keys/restricted-api-keys
AREAS = (
    Area("Account", "read", lambda v1: v1.accounts.retrieve_current()),
    Area("Customers", "write", lambda v1: v1.customers.update(f"cus_{NOTHING}", {})),
    Area("Checkout Sessions", "write", lambda v1: v1.checkout.sessions.expire(f"cs_test_{NOTHING}")),
    Area("SetupIntents", "read", lambda v1: v1.setup_intents.retrieve(f"seti_{NOTHING}")),
    Area("PaymentMethods", "read", lambda v1: v1.payment_methods.retrieve(f"pm_{NOTHING}")),
    Area("PaymentMethods", "write", lambda v1: v1.payment_methods.update(f"pm_{NOTHING}", {}), optional=True),
    Area("Mandates", "read", lambda v1: v1.mandates.retrieve(f"mandate_{NOTHING}"), optional=True),
    Area("Webhook Endpoints", "write", lambda v1: v1.webhook_endpoints.update(f"we_{NOTHING}", {})),
    Area("Events", "read", lambda v1: v1.events.retrieve(f"evt_{NOTHING}")),
    Area(
        "Customer portal",
        "write",
        lambda v1: v1.billing_portal.sessions.create({"customer": f"cus_{NOTHING}"}),
        optional=True,
    ),
)


def permissions(v1: Any, *, is_restricted: bool) -> list[Permission]:
    """The table of permissions. A secret key has all of them, and nothing is asked.

    Raises StripeKeyRejected and StripeUnavailable.
    """
    if not is_restricted:
        return [_permission(area, ok=True, words="A secret key may do everything.") for area in AREAS]
    return [_tried(v1, area) for area in AREAS]


def _tried(v1: Any, area: Area) -> Permission:
    try:
        with translate_errors():
            area.probe(v1)
    except (StripeKeyRejected, StripeUnavailable):
        raise
    except StripePermissionMissing as error:
        return _permission(area, ok=False, words=error.detail)
    except (StripeObjectMissing, StripeRefused):
        pass  # the key was allowed to ask
    except AppError as error:
        return _permission(area, ok=None, words=error.detail)
    return _permission(area, ok=True, words="Granted.")


def _permission(area: Area, *, ok: bool | None, words: str) -> Permission:
    return Permission(area=area.name, needed=area.needed, ok=ok, words=words, optional=area.optional)


def is_restricted(api_key: str) -> bool:
    """Is this a key with chosen permissions?"""
    return api_key.startswith("rk_")
