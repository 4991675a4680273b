"""The installed Stripe apps: their keys, their webhook endpoints, their secrets."""

from app.apps.actions import Details, change, make_default, rename
from app.apps.connections import Connections, Receiver, connect, find, receiver, signing_secrets, unsealable
from app.apps.dashboard import dashboard_url
from app.apps.endpoints import NAMESPACE, NAMESPACE_ID, delete, strays, sweep, webhook_url
from app.apps.install import Inspection, inspect, install, obstacles, uninstall
from app.apps.keys import KeyUnfit, lacking, listed, note_key_state, noting_rejection, replace_key
from app.apps.models import App, PendingInstall, SigningSecret
from app.apps.pending import forget, held, held_key, hold
from app.apps.queries import by_id, default, installed, secrets_of
from app.apps.rolling import end_overlap, mend_endpoint, retire_secrets, roll_secret
from app.apps.schemas import AppType, StripeApp, read_app_id
from app.apps.tidying import tidy

__all__ = [
    "NAMESPACE",
    "NAMESPACE_ID",
    "App",
    "AppType",
    "Connections",
    "Details",
    "Inspection",
    "KeyUnfit",
    "PendingInstall",
    "Receiver",
    "SigningSecret",
    "StripeApp",
    "by_id",
    "change",
    "connect",
    "dashboard_url",
    "default",
    "delete",
    "end_overlap",
    "find",
    "forget",
    "held",
    "held_key",
    "hold",
    "inspect",
    "install",
    "installed",
    "lacking",
    "listed",
    "make_default",
    "mend_endpoint",
    "note_key_state",
    "noting_rejection",
    "obstacles",
    "read_app_id",
    "receiver",
    "rename",
    "replace_key",
    "retire_secrets",
    "roll_secret",
    "secrets_of",
    "signing_secrets",
    "strays",
    "sweep",
    "tidy",
    "uninstall",
    "unsealable",
    "webhook_url",
]
