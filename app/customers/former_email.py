"""What follows when a customer's email address is replaced. Later packages say what that is."""

from typing import Protocol

from flask import Flask, current_app
from sqlalchemy.orm import Session

from app.core.addresses import folded_email
from app.customers.models import Customer

EXTENSION = "gangway.former_email"


class Listener(Protocol):
    """A function that is called when a customer's email address has just been replaced or removed."""

    def __call__(self, session: Session, customer: Customer, former: str, *, actor: str) -> None:
        """Do what follows, in the transaction of the change."""


def on_email_change(app: Flask, listener: Listener) -> None:
    """Have a function called after each change of an email address that let somebody in."""
    app.extensions.setdefault(EXTENSION, []).append(listener)


def trusted_email(customer: Customer) -> str | None:
    """Return the address that codes go to. One that came from Stripe's page unasked opens nothing."""
    return None if "primary_email" in (customer.adopted or ()) else customer.primary_email


def report(session: Session, customer: Customer, former: str | None, *, actor: str) -> None:
    """Tell the listeners, if the address that codes went to is another one now."""
    if not former or folded_email(former) == folded_email(customer.primary_email or ""):
        return
    for listener in current_app.extensions.get(EXTENSION, ()):
        listener(session, customer, former, actor=actor)
