"""After a customer's email address has changed: send a notice to the old one, and end what it opened."""

from datetime import timedelta

from flask import session as cookie
from limits import parse_many
from sqlalchemy.orm import Session

from app import customers, outbox, portal
from app.core.addresses import folded_email
from app.core.db import utcnow
from app.onboarding.billing.access import end_access
from app.onboarding.billing.models import Way
from app.onboarding.billing.voice import is_visitor, voice
from app.onboarding.browsers.keyed_hash import keyed_hash
from app.onboarding.models import BillingAccess, browser_hash
from app.web import limits, mail
from app.web.languages import gettext

KIND = "email_changed"  # of the message
LIFETIME = timedelta(days=3)
BUDGET_OF_ADDRESS = "5 per day"  # anybody can sign up with an address, and change it


def leave(session: Session, customer: customers.Customer, former: str, *, actor: str) -> None:
    """End what a code to the former address opened in other browsers, and send it a notice. Flushes.

    Other ways in, and the access of invited people, stay.
    """
    _end_access(session, customer.id, own=cookie.get("browser") if is_visitor(actor) else None)
    if mail.sender() is None or not _may_send(former):
        return
    with voice(session, customer.id, actor) as profile:
        message = _message(former.strip(), profile)
    outbox.put(session, message, kind=KIND, expires_at=utcnow() + LIFETIME)


def _end_access(session: Session, customer_id: str, *, own: str | None) -> None:
    """End the access of the first person by a code, except in the browser that makes the change."""
    end_access(
        session,
        BillingAccess.customer_id == customer_id,
        BillingAccess.way == Way.CODE.value,
        BillingAccess.person_id.is_(None),
        BillingAccess.browser_hash != browser_hash(own or ""),
    )


def _may_send(address: str) -> bool:
    """May another notice go to this mailbox? The change is stored in any case."""
    name = ("email-changed", keyed_hash("address", folded_email(address)))
    return limits.current().allows((item, name) for item in parse_many(BUDGET_OF_ADDRESS))


def _message(address: str, profile: portal.Profile) -> mail.Message:
    """Write the notice. It has nothing that anybody typed, and says nothing of the new address."""
    company, support = profile.brand.company_name, profile.links.support_email
    if support:
        contact = gettext("If you didn’t, write to %(email)s.", email=support)
    else:
        contact = gettext("If you didn’t, tell %(company)s.", company=company)
    text = "\n\n".join(
        (
            gettext("The billing page of %(company)s no longer uses this email address.", company=company),
            gettext("We no longer send codes to this address, and earlier ones no longer work."),
            gettext("If you asked for this, you don’t need to do anything."),
            contact,
        )
    )
    subject = gettext("Your email address for the billing page was changed")
    return mail.Message(to=address, subject=subject, text=text, reply_to=support)
