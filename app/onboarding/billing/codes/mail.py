"""The email that brings a code. It is written when it is sent, for the customer that the code opens.

The page where the code is asked for must not tell whether anybody has the address, so it looks nobody up.
"""

from babel.lists import format_list
from sqlalchemy.orm import Session

from app import portal
from app.onboarding.billing.codes.holders import Holder, holders_of
from app.onboarding.billing.voice import own_voice
from app.outbox import Draft
from app.web import languages
from app.web.languages import gettext
from app.web.mail import Message

KIND = "billing_code"  # of the message


def draft(address: str, code: str) -> Draft:
    """Return what the message is written from. The reader's language is that of the page."""
    facts = {"code": code, "language": str(languages.current()), "profile": portal.current_slug() or ""}
    return Draft(address, facts)


def write(session: Session, draft: Draft) -> Message | None:
    """Write to the address as it is stored, for the customers that it opens. None: nobody has it.

    The message has nothing that a visitor typed: anybody can sign up with the address of somebody else.
    """
    holders = holders_of(session, draft.to, draft.facts["profile"])
    if not holders:
        return None
    with own_voice(session, holders[0].customer_id, wished=draft.facts["language"]) as profile:
        names = format_list(_companies(holders), locale=languages.current())
        text = "\n\n".join(
            (
                gettext("Your code is %(code)s.", code=draft.facts["code"]),
                gettext("Enter it in the browser where you asked for it. It works once, within 15 minutes."),
                gettext("It opens the billing page of %(names)s.", names=names),
                gettext("Didn’t ask for it? Ignore this message. Never give the code to anybody."),
            )
        )
        subject = gettext("Your code for the billing page")
    return Message(holders[0].email.strip(), subject, text, reply_to=profile.links.support_email)


def _companies(holders: list[Holder]) -> list[str]:
    """Return the names under which the customers know the company, each once."""
    published = portal.published()
    return list(dict.fromkeys(published.profile_of(each.profile).brand.company_name for each in holders))
