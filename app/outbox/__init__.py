"""Messages to send: stored with the change that they report, and sent by the worker."""

from app.outbox.actions import deliver, oldest_waiting, put, set_recipient, waiting_since
from app.outbox.models import OutboxMessage

__all__ = ["OutboxMessage", "deliver", "oldest_waiting", "put", "set_recipient", "waiting_since"]
