"""The page of one customer, and all that an operator may do there."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import checkout, customers, operators, payers
from app.console.common import event_types, wording
from app.console.customer import actions, default_method, diagnosis, timeline
from app.console.customer import deletion as customer_deletion
from app.console.customer import view as customer_view
from app.console.customer.forms import LABELS, CustomerForm, told
from app.core import db
from app.core.config import settings
from app.core.db import new_id
from app.core.errors import AppError, Invalid, NotFound, PreconditionFailed
from app.customers import Customer, CustomerTaken
from app.operators import OperatorPages, Role
from app.web import problems

pages = OperatorPages("console_customer", __name__)

UNKNOWN_AT_STRIPE = (
    "Saved here. Stripe did not answer, so we don't know yet whether it has the new name and email."
)


@pages.page("/customers/<customer_id>", role=Role.VIEWER)
def page(customer_id: str) -> ResponseReturnValue:
    """Everything about one customer. What is old is shown with its age, and asked about in the background."""
    session = db.session()
    answer = show(session, actions.find(session, customer_id))
    payers.check_stale(session, payers.all_of_customer(session, customer_id.upper()), is_person=True)
    return answer


@pages.page("/customers/new", role=Role.OPERATOR)
def new() -> ResponseReturnValue:
    """The form of a new customer."""
    return _form(CustomerForm(), None)


@pages.action("/customers/new", role=Role.OPERATOR)
def create() -> ResponseReturnValue:
    """Make a customer; one form makes one, however often it is sent."""
    form, session = CustomerForm(), db.session()
    if not form.validate():
        return _form(form, None), 422
    wanted = form.wanted()
    db.start_write(session)
    if session.get(Customer, wanted.id) is not None:
        flash("This form has made its customer already. Here it is.", "info")
        return go_to(wanted.id)
    try:
        customers.create(session, wanted, actor=operators.actor())
    except CustomerTaken as taken:
        _blame(session, form, taken)
        return _form(form, None), 422
    session.commit()
    flash("The customer is created. Make a link next, and send it.", "success")
    return go_to(wanted.id)


@pages.page("/customers/<customer_id>/edit", role=Role.OPERATOR)
def edit(customer_id: str) -> ResponseReturnValue:
    """The form with what is known of a customer."""
    customer = actions.find(db.session(), customer_id)
    customers.refuse_deleted(customer)
    return _form(CustomerForm(customer), customer)


@pages.action("/customers/<customer_id>/edit", role=Role.OPERATOR)
def save(customer_id: str) -> ResponseReturnValue:
    """Store what was changed, at Stripe too; nothing that somebody else changed meanwhile is lost."""
    session = db.session()
    customer = actions.find(session, customer_id)
    form = CustomerForm(customer)
    if customer.deleted_at is not None and "restore" in request.form and form.validate():
        customer = _restored(session, customer, form)
    if customer.deleted_at is not None or not form.validate():
        return _rejected(form, customer)
    try:
        edited = actions.edit(
            session, customer.id, form.wanted(), seen=form.updated_at.data or "", actor=operators.actor()
        )
    except actions.Changed as changed:
        return _form(form, changed.now, changes=_changes(form, changed.now)), 409
    except CustomerTaken as taken:
        _blame(session, form, taken)
        return _form(form, customer), 422
    except PreconditionFailed:  # another operator deleted it just now
        session.rollback()
        return _rejected(form, actions.find(session, customer_id))
    flash(*_outcome(edited))
    return go_to(customer_id)


@pages.action("/customers/<customer_id>/delete", role=Role.OPERATOR)
def delete(customer_id: str) -> ResponseReturnValue:
    """Mark a customer as deleted here; nothing happens at Stripe."""
    session = db.session()
    db.start_write(session)
    customer = actions.find(session, customer_id, lock=True)
    if customer.deleted_at is None:
        payers.delete_customer(session, customer, actor=operators.actor())
        session.commit()
    flash("The customer is deleted here. What Stripe has is untouched.", "success")
    return go_to(customer_id)


@pages.action("/customers/<customer_id>/restore", role=Role.OPERATOR)
def restore(customer_id: str) -> ResponseReturnValue:
    """Take that back."""
    session = db.session()
    db.start_write(session)
    customer = actions.find(session, customer_id, lock=True)
    wanted = customers.details_of(customer)
    try:
        left = payers.restore_customer(session, customer, actor=operators.actor())
    except CustomerTaken as taken:
        return show(session, actions.find(session, customer_id), status=409, taken=(wanted, taken.holders))
    except PreconditionFailed:  # it is there already
        session.rollback()
        return go_to(customer_id)
    session.commit()
    flash("The customer is restored.", "success")
    for payer in left:
        flash(
            f"Stripe customer {payer.stripe_customer_id} stands for another customer by now, or its app was "
            "uninstalled; it was left out.",
            "warning",
        )
    return go_to(customer_id)


@pages.action("/customers/<customer_id>/check", role=Role.OPERATOR)
def check(customer_id: str) -> ResponseReturnValue:
    """Ask Stripe now, and say what that brought."""
    session = db.session()
    customer = actions.find(session, customer_id)
    customers.refuse_deleted(customer)
    found = actions.check(session, customer.id, actor=operators.actor())
    if not found.is_answered:
        flash("Stripe could not be asked just now. What stands here is the last that we know.", "warning")
    elif found.changes:
        flash(f"Stripe knew more. Before: {'; '.join(found.changes)}.", "success")
    else:
        flash("Nothing has changed: Stripe says what stands here.", "success")
    for trouble in found.troubles:
        flash(f"The reason why no event told us: {trouble}.", "warning")
    return go_to(customer_id)


@pages.action("/customers/<customer_id>/charge", role=Role.OPERATOR)
def charge(customer_id: str) -> ResponseReturnValue:
    """Have another attached method charged from now on."""
    session = db.session()
    customer = actions.find(session, customer_id)
    app_id, method_id = _method()
    try:
        title = actions.choose_default(session, customer, app_id, method_id, actor=operators.actor())
    except (NotFound, Invalid, PreconditionFailed) as error:
        return refuse(session, customer_id, error)
    flash(f"{title} is now the default.", "success")
    return go_to(customer_id)


@pages.action("/customers/<customer_id>/detach", role=Role.OPERATOR)
def detach(customer_id: str) -> ResponseReturnValue:
    """Remove a method at Stripe."""
    session = db.session()
    customer = actions.find(session, customer_id)
    app_id, method_id = _method()
    try:
        title = actions.detach(session, customer, app_id, method_id, actor=operators.actor())
    except (NotFound, Invalid, PreconditionFailed) as error:
        return refuse(session, customer_id, error)
    flash(f"{title} is removed at Stripe.", "success")
    return go_to(customer_id)


@pages.action("/customers/<customer_id>/close-page", role=Role.OPERATOR)
def close_page(customer_id: str) -> ResponseReturnValue:
    """Close an open page of Stripe's."""
    session = db.session()
    customer = actions.find(session, customer_id)
    try:
        is_closed = actions.close_page(
            session, customer, request.form.get("session_id", ""), actor=operators.actor()
        )
    except (NotFound, PreconditionFailed) as error:
        return refuse(session, customer_id, error)
    flash("The page is closed." if is_closed else "The page was not open any more.", "success")
    return go_to(customer_id)


def show(
    session: Session,
    customer: Customer,
    *,
    status: int = 200,
    taken: tuple[customers.NewCustomer, set[str]] | None = None,
) -> ResponseReturnValue:
    view = customer_view.read(session, customer)
    return render_template(
        "console/customer/page.html",
        view=view,
        customer=customer,
        diagnosis=diagnosis.of(view),
        lines=timeline.lines(view),
        awaited=timeline.awaited(view),
        why=default_method.why,
        page_words=wording.of_page,
        declines=checkout.explain_decline,
        event_words=event_types.words,
        event_states=event_types.STATES,
        policy=settings().payment_method_policy,
        link=operators.take_once(f"link:{customer.id}"),
        form_id=new_id(),
        holders=actions.holders_of(session, *taken) if taken else [],
    ), status


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


def _rejected(form: CustomerForm, customer: Customer) -> ResponseReturnValue:
    """The form with what is wrong in it; or with what was typed, for a customer that is deleted."""
    if customer.deleted_at is None:
        return _form(form, customer), 422
    return _form(form, customer, changes=_changes(form, customer)), 409


def _restored(session: Session, customer: Customer, form: CustomerForm) -> Customer:
    """Restore a deleted customer before what was typed is stored; a taken name leaves it deleted."""
    try:
        seen = customer_deletion.restore(session, customer, form.updated_at.data, actor=operators.actor())
    except CustomerTaken as taken:
        _blame(session, form, taken)
    else:
        form.updated_at.data = seen
    return actions.find(session, customer.id)


def go_to(customer_id: str) -> ResponseReturnValue:
    return redirect(url_for("console_customer.page", customer_id=customer_id.upper()), 303)


def refuse(session: Session, customer_id: str, error: AppError) -> ResponseReturnValue:
    session.rollback()
    flash(problems.plain(error.status, error.detail), "error")
    return go_to(customer_id)


def _outcome(edited: actions.Edited) -> tuple[str, str]:
    """Say what came of an edit."""
    if not edited.is_changed:
        return "Nothing was changed.", "info"
    if edited.refusal is not None:
        return f"Saved here, but Stripe refuses the new name or email: {edited.refusal}", "warning"
    if not edited.is_told:
        return f"{UNKNOWN_AT_STRIPE} We tell it again by ourselves until it has them.", "warning"
    return "Saved.", "success"


def _blame(session: Session, form: CustomerForm, taken: CustomerTaken) -> None:
    """Say beside each field which name is taken, and whose it is."""
    wanted = form.wanted()
    holders = actions.holders_of(session, wanted, taken.holders)
    for field, names in ((form.key, {wanted.key}), (form.subject_keys, {*wanted.subject_keys})):
        field.errors = [
            f"“{name}” belongs to {holder.customer.name}."
            for holder in holders
            for name in holder.names
            if name in names
        ]
    if not form.errors:
        form.key.errors = ["Another customer has this key or one of the subject keys."]


def _changes(form: CustomerForm, now: Customer) -> list[tuple[str, str, str]]:
    """What differs between what was typed and what stands there now; sent once more, it is meant."""
    mine, theirs = form.wanted(), customers.details_of(now)
    form.updated_at.data = now.updated_at.isoformat()
    pairs = ((LABELS[name], told(name, theirs), told(name, mine)) for name in LABELS)
    return [pair for pair in pairs if pair[1] != pair[2]]


def _method() -> tuple[str, str]:
    return request.form.get("app_id", ""), request.form.get("method_id", "")
