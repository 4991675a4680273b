"""Messages to send: stored with the change that they report, and sent by the worker."""

from app.outbox.actions import Draft, deliver, oldest_waiting, put, set_writer, waiting_since
from app.outbox.models import OutboxMessage

__all__ = ["Draft", "OutboxMessage", "deliver", "oldest_waiting", "put", "set_writer", "waiting_since"]
