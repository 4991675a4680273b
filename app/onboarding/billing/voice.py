"""The language and the company name for an email about a billing page."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import has_request_context
from flask_babel import force_locale
from sqlalchemy.orm import Session

from app import portal
from app.onboarding import links, queries
from app.onboarding.billing.actions import ACTOR


@contextmanager
def voice(session: Session, customer_id: str, actor: str) -> Iterator[portal.Profile]:
    """Use the page's language and company name; for operators and programs, those of the customer."""
    if is_visitor(actor):
        yield portal.current_profile()
        return
    with own_voice(session, customer_id) as profile:
        yield profile


@contextmanager
def own_voice(session: Session, customer_id: str, *, wished: str | None = None) -> Iterator[portal.Profile]:
    """Write as the customer's own profile: in the wished language if it has that, else in the customer's."""
    profile = portal.published().profile_of(links.profile_of(session, customer_id))
    wishes = (wished, queries.agreed_language(session, customer_id))
    language = next((each for each in wishes if each in profile.languages), profile.default_language)
    with force_locale(language):
        yield profile


def is_visitor(actor: str) -> bool:
    """Does a visitor act, in a request?"""
    return actor == ACTOR and has_request_context()
