"""The public pages as they would look: the same code and templates, with a customer that nobody is."""

from collections.abc import Callable

from flask.typing import ResponseReturnValue

from app.onboarding.forms import SignupForm
from app.onboarding.pages import _page


def sign_up() -> ResponseReturnValue:
    """Show the blank form."""
    return _page(SignupForm.blank())


PREVIEWS: dict[str, Callable[[], ResponseReturnValue]] = {"signup": sign_up}
