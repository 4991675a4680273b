"""Getting in to the billing page by a code: ask for one, then enter it."""

from flask import redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue

from app.core import db
from app.core.config import settings
from app.core.errors import NotFound
from app.onboarding.billing.blueprint import bp
from app.onboarding.billing.codes import actions as codes
from app.onboarding.billing.codes import entry
from app.onboarding.billing.forms import AddressForm, CodeForm
from app.onboarding.browsers.visit import name_browser
from app.web.languages import gettext
from app.web.limits import limited


@bp.post("/code")
@limited(lambda: settings().rate_limit_return)
def request_code() -> ResponseReturnValue:
    """Send a code, if anybody has the address. The answer is the same if nobody has."""
    form = AddressForm(formdata=request.form)
    _refuse_without_codes()
    if not form.validate():
        return entry.show(form, 422)
    address = str(form.email.data)
    codes.request_code(db.session(), address, browser=name_browser())
    cookie[entry.ADDRESS] = address
    return redirect(url_for("billing.enter_code"), 303)


@bp.get("/code")
@limited(lambda: settings().rate_limit_return)
def enter_code() -> ResponseReturnValue:
    """Ask for the code that was sent."""
    if not entry.offers_codes() or entry.asked_address() is None:
        return redirect(url_for("billing.page"), 303)
    return _page(CodeForm(formdata=None))


@bp.post("/code/check")
@limited(lambda: settings().rate_limit_return)
def check_code() -> ResponseReturnValue:
    """Open the billing page by a code. Never say what is wrong with a code."""
    _refuse_without_codes()
    form, address = CodeForm(formdata=request.form), entry.asked_address()
    if address is None:
        return redirect(url_for("billing.page"), 303)
    if not form.validate():
        return _page(form, 422)
    entered = codes.use_code(db.session(), address, str(form.code.data), browser=name_browser())
    if entered is None:
        form.code.errors = [
            gettext("This code isn’t right, or it no longer works. You can ask for a new one.")
        ]
        return _page(form, 422)
    cookie.pop(entry.ADDRESS)
    cookie["browser"] = entered.browser
    return redirect(url_for("billing.page", customer=entered.customer_id), 303)


def _page(form: CodeForm, status: int = 200) -> ResponseReturnValue:
    return render_template("onboarding/billing/code.html", form=form, address=entry.asked_address()), status


def _refuse_without_codes() -> None:
    if not entry.offers_codes():
        raise NotFound(gettext("We don’t send codes here. Ask for a link instead."))
