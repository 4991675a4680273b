"""Install a Stripe app in two steps: enter the key, confirm the account."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import apps
from app.console.stripe.forms import ConfirmForm, KeyForm
from app.console.stripe.pages import _away, _examine, pages
from app.core import db
from app.core.config import settings
from app.core.errors import AppError, NotFound
from app.gateway import StripeFailed
from app.operators import Role, actor, current_session


@pages.page("/stripe/install", role=Role.ADMIN)
def enter_key() -> ResponseReturnValue:
    """The first step of an installation: ask for the key."""
    return render_template("console/stripe/install.html", form=KeyForm())


@pages.action("/stripe/install", role=Role.ADMIN)
def inspect() -> ResponseReturnValue:
    """Inspect the account of the key, and keep both for the second step. Nothing changes at Stripe."""
    form = KeyForm()
    session = db.session()
    db.end_read(session)
    if form.validate():
        try:
            found = apps.inspect(form.api_key.data)
        except (apps.UnusableKey, StripeFailed) as error:
            form.api_key.errors = [error.detail]
        else:
            pending = apps.save_pending(session, form.api_key.data, found, browser=current_session().id)
            session.commit()
            return redirect(url_for("console_stripe.found", pending_id=pending.id), 303)
    return render_template("console/stripe/install.html", form=form), 422


@pages.page("/stripe/install/<pending_id>", role=Role.ADMIN)
def found(pending_id: str) -> ResponseReturnValue:
    """The second step: show the account and ask for confirmation."""
    session = db.session()
    try:
        pending = apps.get_pending(session, pending_id, browser=current_session().id)
    except NotFound as over:
        return _away("console_stripe.enter_key", over)
    form = ConfirmForm(data={"name": "Stripe", "takes_default": apps.default(session) is None})
    return _found(session, pending, form)


@pages.action("/stripe/install/<pending_id>", role=Role.ADMIN)
def install(pending_id: str) -> ResponseReturnValue:
    """Install the account, and examine it."""
    session = db.session()
    browser, url = current_session().id, settings().public_url
    try:
        pending = apps.get_pending(session, pending_id, browser=browser)
    except NotFound as over:
        return _away("console_stripe.page", over)
    form = ConfirmForm()
    if not form.validate():
        return _found(session, pending, form, status=422)
    try:
        api_key = apps.pending_key(pending)
        db.end_read(session)
        app = apps.install(
            session,
            api_key,
            public_url=url,
            actor=actor(),
            name=form.name.data,
            takes_default=form.takes_default.data,
        )
    except AppError as error:
        session.rollback()
        return _away("console_stripe.found", error, pending_id=pending_id)
    apps.delete_pending(session, browser=browser)
    session.commit()
    _examine(session, app)
    flash(f"{app.name} is installed and receives events.", "success")
    return redirect(url_for("console_stripe.one", app_id=app.id), 303)


@pages.action("/stripe/install/<pending_id>/discard", role=Role.ADMIN)
def discard(pending_id: str) -> ResponseReturnValue:  # noqa: ARG001 (there is one for each session)
    """Discard the entered key."""
    session = db.session()
    db.start_write(session)
    apps.delete_pending(session, browser=current_session().id)
    session.commit()
    flash("Key discarded. Nothing was changed.", "info")
    return redirect(url_for("console_stripe.page"), 303)


def _found(
    session: Session, pending: apps.PendingInstall, form: ConfirmForm, status: int = 200
) -> ResponseReturnValue:
    inspection = apps.Inspection.of(pending.found)
    return (
        render_template(
            "console/stripe/found.html",
            pending=pending,
            found=inspection,
            missing=apps.missing_permissions(inspection.permissions),
            obstacles=apps.obstacles(session, inspection, settings().public_url),
            form=form,
        ),
        status,
    )
