"""Every section of a profile, in the order of their menu."""

# isort: off
from app.console.portal.sections import general_page
from app.console.portal.sections import brand_page
from app.console.portal.sections import form_page
from app.console.portal.sections import text_page
from app.console.portal.sections import language_page
from app.console.portal.sections import link_page
from app.console.portal.sections import policy_page
from app.console.portal.sections import after_page

# isort: on

__all__ = [
    "after_page",
    "brand_page",
    "form_page",
    "general_page",
    "language_page",
    "link_page",
    "policy_page",
    "text_page",
]
