"""The demo sends no email: it keeps each message, and prints it for the person at the terminal."""

import pytest

from app.web.mail import Message, PrintedMailbox


def test_a_message_is_printed_and_kept(capsys: pytest.CaptureFixture[str]) -> None:
    mailbox = PrintedMailbox()
    message = Message(to="ada@example.com", subject="Your code", text="Your code is 123456.")

    mailbox.send(message)

    printed = capsys.readouterr()
    assert printed.err == "\nEmail to ada@example.com: Your code\n\nYour code is 123456.\n\n"
    assert printed.out == ""  # for programs
    assert list(mailbox.messages) == [message]
