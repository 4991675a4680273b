"""The public pages as they would look: the same code and templates, with an invented customer."""

from collections.abc import Callable

from flask.typing import ResponseReturnValue

from app.core import db
from app.core.db import new_id, utcnow
from app.customers import Customer
from app.onboarding.form.forms import SignupForm
from app.onboarding.models import Signup
from app.onboarding.returns import state_page
from app.onboarding.signup.form_page import draw
from app.payers import Payer, PaymentMethod


def sign_up() -> ResponseReturnValue:
    """Show the blank form."""
    return draw(SignupForm.blank())


def saved() -> ResponseReturnValue:
    """Show what somebody sees who has saved a card. None of these rows is stored."""
    now = utcnow()
    customer = Customer(id=new_id(), name="Ada Lovelace Ltd", primary_email="ada@example.com", created_at=now)
    payer = Payer(
        id=new_id(),
        app_id=new_id(),
        customer_id=customer.id,
        stripe_customer_id="cus_preview",
        default_method_id="pm_preview",
        created_at=now,
        verified_at=now,
    )
    card = PaymentMethod(
        app_id=payer.app_id,
        id="pm_preview",
        payer_id=payer.id,
        type="card",
        brand="visa",
        last4="4242",
        exp_month=12,
        exp_year=now.year + 3,
        created_at=now,
    )
    payer.customer, payer.methods = customer, [card]
    signup = Signup(customer_id=customer.id, browser_hash="", created_at=now)
    return state_page.show(db.session(), payer, signup, checked=True, is_known=False)


PREVIEWS: dict[str, Callable[[], ResponseReturnValue]] = {"signup": sign_up, "saved": saved}
