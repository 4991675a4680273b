"""The installed Stripe apps: their keys, their webhook endpoints, their secrets."""

from app.apps.actions import Details, change, make_default, rename
from app.apps.connections import Connections, connect, find, find_successor, unreadable_secrets
from app.apps.dashboard import dashboard_url
from app.apps.install import Inspection, inspect, install, obstacles, uninstall
from app.apps.keys import (
    UnusableKey,
    missing_permissions,
    note_key_state,
    permission_names,
    record_rejection,
    replace_key,
)
from app.apps.models import App, PendingInstall, SigningSecret
from app.apps.pending import delete_pending, get_pending, pending_key, save_pending
from app.apps.purging import purge
from app.apps.queries import by_id, default, installed, modes, same_account, secrets_of
from app.apps.schemas import AppType, StripeApp, read_app_id
from app.apps.webhook.endpoints import (
    NAMESPACE,
    NAMESPACE_ID,
    delete,
    delete_orphans,
    find_orphans,
    webhook_url,
)
from app.apps.webhook.receivers import (
    Receiver,
    Receivers,
    is_valid,
    known_receiver,
    receiver,
    signing_secrets,
)
from app.apps.webhook.rolling import end_overlap, repair_endpoint, roll_secret

__all__ = [
    "NAMESPACE",
    "NAMESPACE_ID",
    "App",
    "AppType",
    "Connections",
    "Details",
    "Inspection",
    "PendingInstall",
    "Receiver",
    "Receivers",
    "SigningSecret",
    "StripeApp",
    "UnusableKey",
    "by_id",
    "change",
    "connect",
    "dashboard_url",
    "default",
    "delete",
    "delete_orphans",
    "delete_pending",
    "end_overlap",
    "find",
    "find_orphans",
    "find_successor",
    "get_pending",
    "inspect",
    "install",
    "installed",
    "is_valid",
    "known_receiver",
    "make_default",
    "missing_permissions",
    "modes",
    "note_key_state",
    "obstacles",
    "pending_key",
    "permission_names",
    "purge",
    "read_app_id",
    "receiver",
    "record_rejection",
    "rename",
    "repair_endpoint",
    "replace_key",
    "roll_secret",
    "same_account",
    "save_pending",
    "secrets_of",
    "signing_secrets",
    "uninstall",
    "unreadable_secrets",
    "webhook_url",
]
