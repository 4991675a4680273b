"""API tokens: which programs may call, and what each may do."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import db
from app.core.errors import Conflict
from app.operators.auth import tokens as actions
from app.operators.models import Role
from app.operators.pages import guard, one_time_flash
from app.operators.pages.account import pages
from app.operators.pages.forms import TokenForm


@pages.page("/tokens", role=Role.ADMIN)
def tokens() -> ResponseReturnValue:
    """All of them, and a form for a new one."""
    return _tokens_page(TokenForm(), one_time_flash.take("token"))


@pages.action("/tokens", role=Role.ADMIN)
def create_token() -> ResponseReturnValue:
    """Make a token, which the next page shows this once."""
    form, session = TokenForm(formdata=request.form), db.session()
    if not form.validate():
        return _tokens_page(form), 422
    last = form.expires.data
    end = actions.end_of(last) if last else None
    db.start_write(session)
    try:
        _, text = actions.create_token(
            session, form.name.data, scope=form.scope.data, expires_at=end, actor=guard.actor()
        )
    except Conflict as error:
        session.rollback()
        form.name.errors = [error.detail]
        return _tokens_page(form), 422
    session.commit()
    one_time_flash.keep("token", text)
    return redirect(url_for("operators.tokens"), 303)


@pages.action("/tokens/<token_id>/revoke", role=Role.ADMIN)
def revoke_token(token_id: str) -> ResponseReturnValue:
    """End a token at once."""
    session = db.session()
    db.start_write(session)
    actions.revoke_token(session, token_id, actor=guard.actor())
    session.commit()
    flash("Token revoked. Programs that use it are refused.", "success")
    return redirect(url_for("operators.tokens"), 303)


def _tokens_page(form: TokenForm, shown: object = None) -> str:
    return render_template(
        "operators/tokens.html", form=form, tokens=actions.tokens(db.session()), shown_token=shown
    )
