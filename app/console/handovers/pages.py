"""Make, list and revoke the secrets with which the company's app signs hand-overs."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import operators, portal
from app.console.common import actors
from app.console.handovers.forms import SecretForm
from app.core import db
from app.core.errors import Conflict
from app.onboarding import handovers
from app.operators import OperatorPages, Role
from app.web.addresses.urls import external

pages = OperatorPages("console_handovers", __name__)


@pages.page("/portal/handovers", role=Role.ADMIN)
def page() -> ResponseReturnValue:
    """All secrets, and a form for a new one."""
    return _page(SecretForm(), operators.take_once("handover_secret"))


@pages.action("/portal/handovers", role=Role.ADMIN)
def create() -> ResponseReturnValue:
    """Make a secret, which the next page shows this once."""
    form, session = SecretForm(formdata=request.form), db.session()
    if not form.validate():
        return _page(form), 422
    db.start_write(session)
    try:
        _, text = handovers.create_secret(session, form.name.data, actor=operators.actor())
    except Conflict as error:
        session.rollback()
        form.name.errors = [error.detail]
        return _page(form), 422
    session.commit()
    operators.keep_once("handover_secret", text)
    return redirect(url_for("console_handovers.page"), 303)


@pages.action("/portal/handovers/<secret_id>/revoke", role=Role.ADMIN)
def revoke(secret_id: str) -> ResponseReturnValue:
    """Refuse at once what is signed with a secret."""
    session = db.session()
    db.start_write(session)
    handovers.revoke_secret(session, secret_id, actor=operators.actor())
    session.commit()
    flash("Secret revoked. Hand-overs that it signed are refused.", "success")
    return redirect(url_for("console_handovers.page"), 303)


def _page(form: SecretForm, shown: object = None) -> str:
    session = db.session()
    secrets = handovers.list_secrets(session)
    return render_template(
        "console/handovers/page.html",
        form=form,
        secrets=secrets,
        names=actors.names(session, {secret.created_by for secret in secrets}),
        most=handovers.MAX_LIVE_SECRETS,
        shown_secret=shown,
        loose=_loose_profiles(),
        form_url=external("onboarding.form"),
    )


def _loose_profiles() -> dict[str, str]:
    """Return the names of the profiles in which visitors may type the reference of a customer, by slug."""
    return {
        slug: profile.name
        for slug, profile in portal.published().profiles.items()
        if profile.sign_up != "links" and profile.form.lets_visitors_choose_key
    }
