"""The pages of the installed Stripe apps: their state, webhook and key."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import apps, doctor, payers
from app.console.common import actors
from app.console.stripe.forms import RenameForm, ReplaceForm, UninstallForm
from app.core import db
from app.core.config import settings
from app.core.errors import AppError, NotFound
from app.gateway import StripeFailed
from app.operators import OperatorPages, Role, actor

pages = OperatorPages("console_stripe", __name__)


CardForms = dict[str, ReplaceForm | RenameForm | UninstallForm]


@pages.page("/stripe", role=Role.VIEWER)
def page() -> ResponseReturnValue:
    """Every installed app."""
    session = db.session()
    installed = apps.installed(session)
    examined = {app.id: doctor.latest(session, app.id) for app in installed}
    return render_template(
        "console/stripe/page.html",
        installed=installed,
        examined=examined,
        state_of=doctor.state_of,
        dashboard_url=apps.dashboard_url,
    )


@pages.page("/stripe/<app_id>", role=Role.VIEWER)
def one(app_id: str) -> ResponseReturnValue:
    """One app: its health, webhook and key."""
    session = db.session()
    return _one(session, _installed(session, app_id), {})


@pages.action("/stripe/<app_id>/examine", role=Role.OPERATOR)
def examine(app_id: str) -> ResponseReturnValue:
    """Examine an app now."""
    session = db.session()
    app = _installed(session, app_id)
    _examine(session, app)
    return redirect(url_for("console_stripe.one", app_id=app.id, _anchor="health"), 303)


@pages.action("/stripe/<app_id>/repair", role=Role.OPERATOR)
def repair(app_id: str) -> ResponseReturnValue:
    """Repair one finding, then examine again."""
    session = db.session()
    app = _installed(session, app_id)
    code = request.form.get("code", "")
    try:
        mended = doctor.repair(session, app, code, actor=actor())
    except AppError as error:
        session.rollback()
        flash(f"The repair failed. {error.detail}", "error")
    else:
        flash(
            "Repaired." if mended else "There was nothing left to repair.",
            "success" if mended else "info",
        )
    _examine(session, apps.by_id(session, app.id))
    return redirect(url_for("console_stripe.one", app_id=app.id, _anchor="health"), 303)


@pages.action("/stripe/<app_id>/key", role=Role.ADMIN)
def replace_key(app_id: str) -> ResponseReturnValue:
    """Replace the key of an app. The current key stays until the new one works."""
    session = db.session()
    app = _installed(session, app_id)
    form = ReplaceForm()
    if form.validate():
        try:
            app = apps.replace_key(session, app.id, form.api_key.data, actor=actor())
        except (apps.UnusableKey, StripeFailed) as error:
            session.rollback()
            form.api_key.errors = [error.detail]
        else:
            session.commit()
            _examine(session, app)
            flash(f"{app.name} now uses the key {app.masked_api_key}.", "success")
            return redirect(url_for("console_stripe.one", app_id=app.id), 303)
    return _one(session, app, {"key": form})


@pages.action("/stripe/<app_id>/roll", role=Role.ADMIN)
def roll(app_id: str) -> ResponseReturnValue:
    """Roll the webhook secret; both work for a day. Pressing twice rolls it once."""
    session = db.session()
    app = _installed(session, app_id)
    try:
        apps.roll_secret(
            session,
            app.id,
            public_url=settings().public_url,
            actor=actor(),
            endpoint_id=request.form.get("endpoint_id") or app.webhook_endpoint_id,
        )
    except AppError as error:
        session.rollback()
        return _away("console_stripe.one", error, app_id=app.id)
    session.commit()
    _examine(session, apps.by_id(session, app.id))
    flash("Webhook secret rolled. The old secret works for another 24 hours.", "success")
    return redirect(url_for("console_stripe.one", app_id=app.id, _anchor="webhook"), 303)


@pages.action("/stripe/<app_id>/end-overlap", role=Role.ADMIN)
def end_overlap(app_id: str) -> ResponseReturnValue:
    """Stop accepting the old secrets."""
    session = db.session()
    app = _installed(session, app_id)
    try:
        ended = apps.end_overlap(session, app.id, actor=actor())
    except AppError as error:
        session.rollback()
        return _away("console_stripe.one", error, app_id=app.id)
    if ended:
        flash("The old secret and its endpoint are removed.", "success")
    return redirect(url_for("console_stripe.one", app_id=app.id, _anchor="webhook"), 303)


@pages.action("/stripe/<app_id>/default", role=Role.ADMIN)
def make_default(app_id: str) -> ResponseReturnValue:
    """Make an app the default for new customers."""
    session = db.session()
    app = apps.make_default(session, _installed(session, app_id).id, actor=actor())
    session.commit()
    flash(f"{app.name} is now the default.", "success")
    return redirect(url_for("console_stripe.one", app_id=app.id), 303)


@pages.action("/stripe/<app_id>/rename", role=Role.ADMIN)
def rename(app_id: str) -> ResponseReturnValue:
    """Rename an app."""
    session = db.session()
    app = _installed(session, app_id)
    form = RenameForm()
    if not form.validate():
        return _one(session, app, {"rename": form})
    app = apps.rename(session, app.id, form.name.data, actor=actor())
    session.commit()
    flash(f"Renamed to {app.name}.", "success")
    return redirect(url_for("console_stripe.one", app_id=app.id), 303)


@pages.action("/stripe/<app_id>/uninstall", role=Role.ADMIN)
def uninstall(app_id: str) -> ResponseReturnValue:
    """Uninstall an app after the operator has typed its account id."""
    session = db.session()
    app = _installed(session, app_id)
    form = UninstallForm(app)
    if not form.validate():
        return _one(session, app, {"uninstall": form})
    try:
        payers.uninstall(session, app.id, actor=actor())
    except StripeFailed as error:
        session.rollback()
        return _away("console_stripe.one", error, app_id=app.id)
    session.commit()
    flash(f"{app.name} has been uninstalled. Its customers and payment methods stay at Stripe.", "success")
    return redirect(url_for("console_stripe.page"), 303)


def _installed(session: Session, app_id: str) -> apps.App:
    if not db.is_id(app_id):
        raise NotFound("There is no such app.")
    app = apps.find(session, app_id)
    db.end_read(session)
    return app


def _one(session: Session, app: apps.App, wrong: CardForms) -> ResponseReturnValue:
    """The page of an app; 422 when one of its forms is wrong."""
    examination = doctor.latest(session, app.id)
    page = render_template(
        "console/stripe/app.html",
        app=app,
        examination=examination,
        findings=doctor.findings_of(examination) if examination else [],
        state=doctor.state_of(examination) if examination else None,
        examined_by=actors.names(session, [examination.actor])[examination.actor] if examination else None,
        secrets=apps.secrets_of(session, app.id),
        endpoint_url=apps.webhook_url(settings().public_url, app.id),
        dashboard_url=apps.dashboard_url,
        key_form=wrong.get("key") or ReplaceForm(formdata=None),
        rename_form=wrong.get("rename") or RenameForm(formdata=None, data={"name": app.name}),
        uninstall_form=wrong.get("uninstall") or UninstallForm(app, formdata=None),
    )
    return page, 422 if wrong else 200


def _examine(session: Session, app: apps.App) -> None:
    doctor.run(session, app, actor=actor())
    session.commit()


def _away(endpoint: str, error: AppError, **where: Any) -> ResponseReturnValue:
    """Show an error on another page."""
    flash(error.detail, "error")
    return redirect(url_for(endpoint, **where), 303)
