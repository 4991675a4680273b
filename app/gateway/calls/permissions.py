"""What a restricted API key may do, found out without reading or writing anything."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from app.core.errors import AppError
from app.core.values import frozen
from app.gateway.errors import (
    StripeKeyRejected,
    StripeObjectMissing,
    StripePermissionMissing,
    StripeRefused,
    StripeUnavailable,
    translate_errors,
)

NOTHING = "gangway_probe"  # what stands behind the prefix of an id that no object has


@frozen
class Permission:
    """One permission that the product uses, as Stripe's Dashboard calls it when a key is made."""

    area: str
    needed: str  # read or write
    optional: bool = False
    ok: bool | None = None  # None: it could not be found out
    words: str = ""  # Stripe's own when it refused


# Each call needs the permission and comes to nothing, because its object does not exist. Whether the key may
# make it is decided before the object is looked up, so 403 means no and 404 means yes; there is nothing that
# could be changed. Source: https://docs.stripe.com/keys/restricted-api-keys
PROBES: dict[Permission, Callable[[Any], object]] = {
    Permission("Account", "read"): lambda v1: v1.accounts.retrieve_current(),
    Permission("Customers", "write"): lambda v1: v1.customers.update(f"cus_{NOTHING}", {}),
    Permission("Checkout Sessions", "write"): lambda v1: v1.checkout.sessions.expire(f"cs_test_{NOTHING}"),
    Permission("SetupIntents", "read"): lambda v1: v1.setup_intents.retrieve(f"seti_{NOTHING}"),
    Permission("PaymentMethods", "read"): lambda v1: v1.payment_methods.retrieve(f"pm_{NOTHING}"),
    Permission("PaymentMethods", "write", optional=True): lambda v1: v1.payment_methods.update(
        f"pm_{NOTHING}", {}
    ),
    Permission("Mandates", "read", optional=True): lambda v1: v1.mandates.retrieve(f"mandate_{NOTHING}"),
    Permission("Webhook Endpoints", "write"): lambda v1: v1.webhook_endpoints.update(f"we_{NOTHING}", {}),
    Permission("Events", "read"): lambda v1: v1.events.retrieve(f"evt_{NOTHING}"),
    Permission("Customer portal", "write", optional=True): lambda v1: v1.billing_portal.sessions.create(
        {"customer": f"cus_{NOTHING}"}
    ),
}


def permissions(v1: Any, *, is_restricted: bool) -> list[Permission]:
    """The table of permissions. A secret key has all of them, and nothing is asked.

    Raises StripeKeyRejected and StripeUnavailable.
    """
    if not is_restricted:
        return [replace(each, ok=True, words="A secret key may do everything.") for each in PROBES]
    return [_try(v1, permission, probe) for permission, probe in PROBES.items()]


def _try(v1: Any, permission: Permission, probe: Callable[[Any], object]) -> Permission:
    try:
        with translate_errors():
            probe(v1)
    except (StripeKeyRejected, StripeUnavailable):
        raise
    except StripePermissionMissing as error:
        return replace(permission, ok=False, words=error.detail)
    except (StripeObjectMissing, StripeRefused):
        pass  # the key was allowed to ask
    except AppError as error:
        return replace(permission, ok=None, words=error.detail)
    return replace(permission, ok=True, words="Granted.")


def is_restricted(api_key: str) -> bool:
    """Is this a key with chosen permissions?"""
    return api_key.startswith("rk_")
