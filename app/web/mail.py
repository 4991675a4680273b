"""The seam for email: what is sent, and who takes it. Without a sender, pages offer another way.

Pages put messages in the outbox, and a worker gives them to the sender.
"""

from collections import deque
from typing import Protocol

import click
from flask import current_app

from app.core.values import frozen

EXTENSION = "gangway.sender"
MAX_KEPT = 100


@frozen
class Message:
    """One email, as plain text."""

    to: str
    subject: str
    text: str
    reply_to: str | None = None  # the company's address for help


class Sender(Protocol):
    """Takes messages over for delivery."""

    def send(self, message: Message) -> None:
        """Take a message. What it raises makes the worker try again."""


class Mailbox:
    """A sender that keeps the last messages instead of sending them: for the demo and for tests."""

    def __init__(self) -> None:
        self.messages: deque[Message] = deque(maxlen=MAX_KEPT)

    def send(self, message: Message) -> None:
        """Keep a message."""
        self.messages.append(message)


class PrintedMailbox(Mailbox):
    """A mailbox that also prints each message: for the demo."""

    def send(self, message: Message) -> None:
        """Keep and print a message."""
        super().send(message)
        click.echo(f"\nEmail to {message.to}: {message.subject}\n\n{message.text}\n", err=True)


def sender() -> Sender | None:
    """Return the sender of this installation; None while email is not set up."""
    found: Sender | None = current_app.extensions.get(EXTENSION)
    return found
