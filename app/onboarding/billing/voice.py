"""The language and the company name for an email about a billing page."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import has_request_context
from flask_babel import force_locale
from sqlalchemy.orm import Session

from app import portal
from app.onboarding import queries
from app.onboarding.billing.actions import ACTOR


@contextmanager
def voice(session: Session, customer_id: str, actor: str) -> Iterator[portal.Profile]:
    """Write in the language and the name of the page; for operators and programs, of the customer's form."""
    if is_visitor(actor):
        yield portal.current_profile()
        return
    slug, language = queries.form_of(session, customer_id)
    published = portal.published()
    profile = published.profiles.get(slug or "", published.default)
    with force_locale(language if language in profile.languages else profile.default_language):
        yield profile


def is_visitor(actor: str) -> bool:
    """Does a visitor act, in a request?"""
    return actor == ACTOR and has_request_context()
