"""The page of one customer, and what an operator may do there."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import checkout, customers, gateway, onboarding, operators, payers, portal
from app.console.common import actors, default_app, event_types
from app.console.customer import queries, timeline
from app.console.customer.changes import actions
from app.console.customer.diagnosis import default_method, diagnosis
from app.console.customer.view import View, describe_session
from app.core import db
from app.core.db import new_id
from app.core.errors import AppError, PreconditionFailed
from app.customers import Customer, CustomerTaken
from app.onboarding import billing, links
from app.operators import OperatorPages, Role
from app.web import problems
from app.web.addresses.urls import external

pages = OperatorPages("console_customer", __name__)
gateway.limit_waiting(pages)


@pages.page("/customers/<customer_id>", role=Role.VIEWER)
def page(customer_id: str) -> ResponseReturnValue:
    """Everything about one customer. Old data shows its age, and a worker checks it in the background."""
    session = db.session()
    view = queries.read(session, actions.find_to_show(session, customer_id))
    answer = _draw(session, view), 200
    known = [account.payer for account in view.accounts if account.payer is not None]
    payers.check_stale(session, known, is_person=True)
    return answer


@pages.action("/customers/<customer_id>/delete", role=Role.OPERATOR)
def delete(customer_id: str) -> ResponseReturnValue:
    """Mark a customer as deleted. Nothing changes at Stripe."""
    session = db.session()
    db.start_write(session)
    customer = actions.find(session, customer_id, lock=True)
    if customer.deleted_at is None:
        payers.delete_customer(session, customer, actor=operators.actor())
        session.commit()
    flash("Customer deleted. Nothing changed at Stripe.", "success")
    return go_to(customer_id)


@pages.action("/customers/<customer_id>/restore", role=Role.OPERATOR)
def restore(customer_id: str) -> ResponseReturnValue:
    """Restore a deleted customer."""
    session = db.session()
    db.start_write(session)
    customer = actions.find(session, customer_id, lock=True)
    wanted = customers.details_of(customer)
    try:
        left = payers.restore_customer(session, customer, actor=operators.actor())
    except CustomerTaken as taken:
        return show(session, actions.find(session, customer_id), status=409, taken=(wanted, taken.holders))
    except PreconditionFailed:  # it is live already
        session.rollback()
        return go_to(customer_id)
    session.commit()
    flash("Customer restored.", "success")
    for payer in left:
        flash(
            f"Stripe customer {payer.stripe_customer_id} was not attached: it now belongs to another "
            "customer, or its app was uninstalled.",
            "warning",
        )
    return go_to(customer_id)


@pages.action("/customers/<customer_id>/check", role=Role.OPERATOR)
def check(customer_id: str) -> ResponseReturnValue:
    """Ask Stripe now, and show what changed."""
    session = db.session()
    customer = actions.find(session, customer_id)
    customers.refuse_deleted(customer)
    found = actions.check(session, customer.id, actor=operators.actor())
    if not found.is_answered:
        flash("Stripe did not answer. This page shows the last known state.", "warning")
    elif found.changes:
        flash(f"Updated from Stripe: {'; '.join(found.changes)}.", "success")
    else:
        flash("Up to date with Stripe.", "success")
    for trouble in found.troubles:
        flash(f"Why no event arrived: {trouble}.", "warning")
    return go_to(customer_id)


def show(
    session: Session,
    customer: Customer,
    *,
    status: int = 200,
    taken: tuple[customers.NewCustomer, set[str]] | None = None,
) -> ResponseReturnValue:
    return _draw(session, queries.read(session, customer), taken), status


def _draw(session: Session, view: View, taken: tuple[customers.NewCustomer, set[str]] | None = None) -> str:
    customer = view.customer
    default_app.know(view.default_app)
    profiles, people = portal.published(), billing.people_of(session, customer.id)
    return render_template(
        "console/customer/page.html",
        view=view,
        customer=customer,
        diagnosis=diagnosis.diagnose(view),
        lines=timeline.lines(view),
        pending=timeline.pending(view),
        explain_default=default_method.explain,
        describe_session=describe_session,
        declines=checkout.explain_decline,
        event_words=event_types.label,
        event_states=event_types.STATES,
        policy=portal.current_profile().payment_method_policy,
        link=operators.take_once(f"link:{customer.id}"),
        consents=onboarding.consents_of(session, customer.id),
        form_id=new_id(),
        people=people,
        inviters=actors.names(session, (person.invited_by for person in people)),
        invitation=operators.take_once(f"person:{customer.id}"),
        billing_url=external("billing.page", customer=customer.id),
        profiles=profiles.profiles,
        own_profile=_own_profile(session, customer, profiles),
        holders=actions.holders_of(session, *taken) if taken else [],
    )


def _own_profile(session: Session, customer: Customer, settings: portal.PortalSettings) -> str:
    """Name the profile by which a customer came, where there are several."""
    own = links.profile_of(session, customer.id) if len(settings.profiles) > 1 else None
    return own if own in settings.profiles else settings.default_profile


def go_to(customer_id: str) -> ResponseReturnValue:
    return redirect(url_for("console_customer.page", customer_id=customer_id.upper()), 303)


def refuse(session: Session, customer_id: str, error: AppError) -> ResponseReturnValue:
    session.rollback()
    flash(problems.plain(error.status, error.detail), "error")
    return go_to(customer_id)
