"""The installed Stripe apps: their keys, their webhook endpoints, their secrets."""

from app.apps.actions import NAMESPACE, install, note_key_state, sweep, webhook_url
from app.apps.connections import Connections, connect, find, signing_secrets
from app.apps.models import App

__all__ = [
    "NAMESPACE",
    "App",
    "Connections",
    "connect",
    "find",
    "install",
    "note_key_state",
    "signing_secrets",
    "sweep",
    "webhook_url",
]
