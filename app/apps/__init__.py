"""The installed Stripe apps: their keys, their webhook endpoints, their secrets."""

from app.apps.actions import (
    NAMESPACE,
    NAMESPACE_ID,
    Details,
    KeyUnfit,
    change,
    install,
    note_key_state,
    noting_rejection,
    replace_key,
    sweep,
    uninstall,
    webhook_url,
)
from app.apps.connections import Connections, connect, find, signing_secrets
from app.apps.models import App
from app.apps.queries import by_id, installed
from app.apps.schemas import AppType, StripeApp, read_app_id

__all__ = [
    "NAMESPACE",
    "NAMESPACE_ID",
    "App",
    "AppType",
    "Connections",
    "Details",
    "KeyUnfit",
    "StripeApp",
    "by_id",
    "change",
    "connect",
    "find",
    "install",
    "installed",
    "note_key_state",
    "noting_rejection",
    "read_app_id",
    "replace_key",
    "signing_secrets",
    "sweep",
    "uninstall",
    "webhook_url",
]
