"""The form of a customer: create and edit."""

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import customers, operators, sync
from app.console.customer.changes import actions
from app.console.customer.form import deletion as customer_deletion
from app.console.customer.form.forms import LABELS, CustomerForm, display_value
from app.console.customer.pages import go_to, pages
from app.core import db
from app.core.errors import PreconditionFailed
from app.customers import Customer, CustomerTaken
from app.operators import Role

NOT_SENT_YET = "Saved here. Stripe didn't answer, so we'll send it the changes later."


@pages.page("/customers/new", role=Role.OPERATOR)
def new() -> ResponseReturnValue:
    """The form of a new customer."""
    return _form(CustomerForm(), None)


@pages.action("/customers/new", role=Role.OPERATOR)
def create() -> ResponseReturnValue:
    """Create a customer. Sending the form again creates no second one."""
    form, session = CustomerForm(), db.session()
    if not form.validate():
        return _form(form, None), 422
    wanted = form.details()
    db.start_write(session)
    if session.get(Customer, wanted.id) is not None:
        flash("This form already created its customer. Here it is.", "info")
        return go_to(wanted.id)
    try:
        customers.create(session, wanted, actor=operators.actor())
    except CustomerTaken as taken:
        _show_taken(session, form, taken)
        return _form(form, None), 422
    session.commit()
    flash("Customer created. Next, make a link and send it.", "success")
    return go_to(wanted.id)


@pages.page("/customers/<customer_id>/edit", role=Role.OPERATOR)
def edit(customer_id: str) -> ResponseReturnValue:
    """The form of an existing customer."""
    customer = actions.find(db.session(), customer_id)
    customers.refuse_deleted(customer)
    return _form(CustomerForm(customer), customer)


@pages.action("/customers/<customer_id>/edit", role=Role.OPERATOR)
def save(customer_id: str) -> ResponseReturnValue:
    """Store the changes, at Stripe too, without overwriting what somebody else changed meanwhile."""
    session = db.session()
    customer = actions.find(session, customer_id)
    form = CustomerForm(customer)
    if customer.deleted_at is not None and "restore" in request.form and form.validate():
        customer = _restore(session, customer, form)
    if customer.deleted_at is not None or not form.validate():
        return _reject(form, customer)
    try:
        sent = actions.edit(
            session, customer.id, form.details(), seen=form.updated_at.data or "", actor=operators.actor()
        )
    except actions.ChangedMeanwhile as changed:
        return _form(form, changed.now, changes=_changes(form, changed.now)), 409
    except CustomerTaken as taken:
        _show_taken(session, form, taken)
        return _form(form, customer), 422
    except PreconditionFailed:  # another operator deleted it just now
        session.rollback()
        return _reject(form, actions.find(session, customer_id))
    flash(*_outcome(sent))
    return go_to(customer_id)


def _form(
    form: CustomerForm,
    customer: Customer | None,
    *,
    changes: list[tuple[str, str, str]] | None = None,
) -> str:
    deletion = customer_deletion.find(db.session(), customer) if customer and customer.deleted_at else None
    return render_template(
        "console/customer/form.html",
        form=form,
        customer=customer,
        changes=changes or [],
        deletion=deletion,
    )


def _reject(form: CustomerForm, customer: Customer) -> ResponseReturnValue:
    """The form with its errors, or the entered values beside a deleted customer."""
    if customer.deleted_at is None:
        return _form(form, customer), 422
    return _form(form, customer, changes=_changes(form, customer)), 409


def _restore(session: Session, customer: Customer, form: CustomerForm) -> Customer:
    """Restore a deleted customer before the form is stored. A taken key leaves it deleted."""
    try:
        seen = customer_deletion.restore(session, customer, form.updated_at.data, actor=operators.actor())
    except CustomerTaken as taken:
        _show_taken(session, form, taken)
    else:
        form.updated_at.data = seen
    return actions.find(session, customer.id)


def _outcome(sent: sync.SentDetails | None) -> tuple[str, str]:
    """The message after an edit."""
    if sent is None:
        return "No changes.", "info"
    if sent.refusal is not None:
        return f"Saved, but Stripe refused a change: {sent.refusal}", "warning"
    if not sent.is_sent:
        return NOT_SENT_YET, "warning"
    return "Saved.", "success"


def _show_taken(session: Session, form: CustomerForm, taken: CustomerTaken) -> None:
    """Show beside each field which key is taken, and the customer that has it."""
    wanted = form.details()
    holders = actions.holders_of(session, wanted, taken.holders)
    for field, names in ((form.key, {wanted.key}), (form.subject_keys, {*wanted.subject_keys})):
        field.errors = [
            f"“{name}” already belongs to {holder.customer.name}."
            for holder in holders
            for name in holder.names
            if name in names
        ]
    if not form.errors:
        form.key.errors = ["Another customer has this key or one of the subject keys."]


def _changes(form: CustomerForm, now: Customer) -> list[tuple[str, str, str]]:
    """The differences between the form and the stored customer. Sending the form again keeps the form's."""
    mine, theirs = form.details(), customers.details_of(now)
    form.updated_at.data = now.updated_at.isoformat()
    pairs = ((LABELS[name], display_value(name, theirs), display_value(name, mine)) for name in LABELS)
    return [pair for pair in pairs if pair[1] != pair[2]]
