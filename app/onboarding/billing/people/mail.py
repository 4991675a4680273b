"""The email that brings a person the invitation to a billing page."""

from sqlalchemy.orm import Session

from app import outbox
from app.onboarding.billing.people.actions import invitation_url
from app.onboarding.billing.voice import voice
from app.onboarding.models import BillingPerson
from app.web import mail
from app.web.languages import gettext

KIND = "invitation"  # of the message


def send_invitation(session: Session, person: BillingPerson, token: str, *, actor: str) -> bool:
    """Put the email of an invitation into the outbox. Return False where email is not set up. Flushes."""
    if mail.sender() is None:
        return False
    with voice(session, person.customer_id, actor) as profile:
        company, support = profile.brand.company_name, profile.links.support_email
        subject = gettext("Your invitation to the billing page of %(company)s", company=company)
        text = gettext("Open this link to see and manage the payment methods:")
    text = f"{text}\n\n{invitation_url(token)}"
    message = mail.Message(to=person.email, subject=subject, text=text, reply_to=support)
    outbox.put(session, message, kind=KIND, expires_at=person.expires_at)
    return True
