"""Who has access to a customer's billing page: invite somebody, accept an invitation, remove somebody."""

from flask import redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import portal
from app.core import db
from app.core.config import settings
from app.core.errors import NotFound
from app.onboarding import links
from app.onboarding.billing.access import Access
from app.onboarding.billing.actions import ACTOR
from app.onboarding.billing.blueprint import bp
from app.onboarding.billing.forms import AddressForm
from app.onboarding.billing.notes import keep_note, take_note
from app.onboarding.billing.pages import find_access
from app.onboarding.billing.people import actions as people
from app.onboarding.billing.people.mail import send_invitation
from app.onboarding.browsers.visit import name_browser
from app.web import mail
from app.web.languages import gettext
from app.web.limits import limited


@bp.get("/people")
@limited(lambda: settings().rate_limit_return)
def list_people() -> ResponseReturnValue:
    """Show who has access."""
    session = db.session()
    return _page(session, _inviter(session), AddressForm(formdata=None))


@bp.post("/people")
@limited(lambda: settings().rate_limit_return)
def invite() -> ResponseReturnValue:
    """Invite an address. The link is shown once, and sent where email is set up."""
    session = db.session()
    access, form = _inviter(session), AddressForm(formdata=request.form)
    if not form.validate():
        return _page(session, access, form, 422)
    customer_id = access.customer.id
    people.spend_invitation(customer_id, str(form.email.data))
    db.start_write(session)
    try:
        person, token = people.invite(session, access.customer, str(form.email.data), actor=ACTOR)
    except (people.PersonKnown, people.TooManyPeople) as error:
        session.rollback()
        form.email.errors = [_reason(error)]
        return _page(session, access, form, 422)
    send_invitation(session, person, token, actor=ACTOR)
    session.commit()
    keep_note(customer_id, "invited", people.invitation_url(token))
    return redirect(url_for("billing.list_people", customer=customer_id), 303)


@bp.get("/people/<person_id>/remove")
@limited(lambda: settings().rate_limit_return)
def confirm_person_removal(person_id: str) -> ResponseReturnValue:
    """Ask before a person is removed. Changes nothing."""
    session = db.session()
    access = _inviter(session)
    found = [each for each in people.people_of(session, access.customer.id) if each.id == person_id]
    if not found:
        raise NotFound(gettext("This person was already removed."))
    return render_template("onboarding/billing/remove_person.html", customer=access.customer, person=found[0])


@bp.post("/people/<person_id>/remove")
@limited(lambda: settings().rate_limit_return)
def remove_person(person_id: str) -> ResponseReturnValue:
    """Remove a person: from the next request on, their browsers see nothing."""
    session = db.session()
    customer_id = _inviter(session).customer.id
    db.start_write(session)
    people.remove_person(session, customer_id, person_id, actor=ACTOR)
    session.commit()
    keep_note(customer_id, "person_removed")
    return redirect(url_for("billing.list_people", customer=customer_id), 303)


@bp.get("/invitation/<token>")
@limited(lambda: settings().rate_limit_return)
def invitation(token: str) -> ResponseReturnValue:
    """Show who invites. Changes nothing, because programs that scan mails fetch this page too."""
    session = db.session()
    person = people.find_invitation(session, token)
    if person is not None:
        portal.use_profile(links.profile_of(session, person.customer_id))
    page = render_template("onboarding/billing/invitation.html", token=token if person else None)
    return page, 200 if person else 404


@bp.post("/invitation/<token>")
@limited(lambda: settings().rate_limit_return)
def accept(token: str) -> ResponseReturnValue:
    """Let this browser in by its invitation, once."""
    session = db.session()
    db.start_write(session)
    entered = people.accept(session, token, browser=name_browser())
    session.commit()
    if entered is None:
        return render_template("onboarding/billing/invitation.html", token=None), 404
    cookie["browser"] = entered.browser
    if people.find_invitation(session, token) is not None:  # this browser had access already
        keep_note(entered.customer_id, "invitation_open")
    return redirect(url_for("billing.page", customer=entered.customer_id), 303)


def _inviter(session: Session) -> Access:
    access = find_access(session)
    if not access.may_invite:
        raise NotFound(gettext("Only the person who signed up can see this page."))
    return access


def _page(session: Session, access: Access, form: AddressForm, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "onboarding/billing/people.html",
        customer=access.customer,
        people=people.people_of(session, access.customer.id),
        form=form,
        note=take_note(access.customer.id),
        is_sent=mail.sender() is not None,
    )
    return page, status


def _reason(error: people.PersonKnown | people.TooManyPeople) -> str:
    if isinstance(error, people.TooManyPeople):
        return gettext("You’ve invited as many people as you can. Remove somebody first.")
    return gettext("This person already has access.")
