"""The page where a customer changes its own contact and tax data."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.core import db
from app.core.config import settings
from app.core.errors import NotFound
from app.onboarding.billing.access import Access
from app.onboarding.billing.blueprint import bp
from app.onboarding.billing.details.actions import ChangedMeanwhile, change_details
from app.onboarding.billing.details.form import DetailsForm
from app.onboarding.billing.notes import keep_note
from app.onboarding.billing.pages import find_access
from app.sync import SentDetails
from app.web.languages import gettext
from app.web.limits import limited


@bp.get("/details")
@limited(lambda: settings().rate_limit_return)
def edit_details() -> ResponseReturnValue:
    """Show the form."""
    access = _editor(db.session())
    return _page(access, _form(access, formdata=None))


@bp.post("/details")
@limited(lambda: settings().rate_limit_return)
def save_details() -> ResponseReturnValue:
    """Store what was typed, and send it to Stripe."""
    session = db.session()
    access = _editor(session)
    form = _form(access, formdata=request.form)
    if not form.validate():
        return _page(access, form, 422)
    try:
        sent = change_details(session, access, form.wanted(), seen=form.updated_at.data or "")
    except ChangedMeanwhile:
        session.rollback()
        session.refresh(access.customer)
        form = _form(access, formdata=request.form)  # other fields may be locked by now
        form.updated_at.data = access.customer.updated_at.isoformat()
        return _page(access, form, 409, is_stale=True)
    if sent is not None:
        keep_note(access.customer.id, _note(sent))
    return redirect(url_for("billing.page", customer=access.customer.id), 303)


def _editor(session: Session) -> Access:
    """Return an access that may change details. A guest's link may have been forwarded."""
    access = find_access(session)
    if access.is_guest:
        raise NotFound(gettext("You can’t change these details with this link."))
    return access


def _form(access: Access, **data: object) -> DetailsForm:
    return DetailsForm(access.customer, may_change_email=access.may_invite, **data)


def _note(sent: SentDetails) -> str:
    if sent.refusal:
        return "details_refused"
    return "details_saved" if sent.is_sent else "details_later"


def _page(
    access: Access, form: DetailsForm, status: int = 200, *, is_stale: bool = False
) -> ResponseReturnValue:
    page = render_template(
        "onboarding/billing/details.html", customer=access.customer, form=form, is_stale=is_stale
    )
    return page, status
