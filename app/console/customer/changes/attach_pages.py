"""Attach an existing Stripe customer to a customer."""

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Regexp

from app import apps, customers, operators, payers
from app.console.customer.changes import actions
from app.console.customer.pages import go_to, pages
from app.core import db
from app.core.errors import AppError
from app.operators import Role
from app.web import problems
from app.web.input.forms import trimmed


class AttachForm(FlaskForm):
    """The Stripe customer to attach."""

    app_id = SelectField("Stripe app")
    stripe_customer_id = StringField(
        "Stripe customer",
        description="Copy the id (cus_…) from the customer's page in Stripe's Dashboard.",
        filters=[trimmed],
        validators=[
            DataRequired("Enter a Stripe customer id."),
            Regexp(r"^cus_[A-Za-z0-9_]{1,250}$", message="Enter an id that starts with cus_."),
        ],
        render_kw={"autocomplete": "off", "spellcheck": "false", "class": "code"},
    )


@pages.page("/customers/<customer_id>/attach", role=Role.OPERATOR)
def attach(customer_id: str) -> ResponseReturnValue:
    """Ask for the Stripe customer's id."""
    session = db.session()
    customer = actions.find(session, customer_id)
    customers.refuse_deleted(customer)
    return render_template("console/customer/attach.html", customer=customer, form=_attach_form(session))


@pages.action("/customers/<customer_id>/attach", role=Role.OPERATOR)
def bind(customer_id: str) -> ResponseReturnValue:
    """Show the Stripe customer with this id. When the operator has confirmed, attach it."""
    session = db.session()
    customer = actions.find(session, customer_id)
    customers.refuse_deleted(customer)
    form = _attach_form(session)
    drawn = {"customer": customer, "form": form}
    if not form.validate():
        return render_template("console/customer/attach.html", **drawn), 422
    app = apps.find(session, form.app_id.data)
    current = payers.of_customer(session, app.id, customer.id)
    try:
        facts = actions.fetch_stripe_customer(session, customer, app, form.stripe_customer_id.data)
        if "confirmed" not in request.form:
            return render_template(
                "console/customer/attach.html", facts=facts, app=app, current=current, **drawn
            )
        actions.attach(session, customer, app, facts.id, actor=operators.actor())
    except AppError as error:
        session.rollback()
        form.stripe_customer_id.errors = [problems.plain(error.status, error.detail)]
        return render_template("console/customer/attach.html", **drawn), 422
    flash(f"{facts.id} is now attached to this customer.", "success")
    return go_to(customer_id)


def _attach_form(session: Session) -> AttachForm:
    form = AttachForm()
    form.app_id.choices = [
        (app.id, f"{app.name} ({'live' if app.livemode else 'test'}, {app.stripe_account_id})")
        for app in sorted(apps.installed(session), key=lambda app: not app.is_default)
    ]
    return form
