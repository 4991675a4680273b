"""The first page of the console: the funnel, the newest customers and what needs attention."""

from datetime import datetime

import sqlalchemy as sa
from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import apps, operators, portal
from app.console.common import date_range, urls
from app.console.overview import attention, funnel
from app.console.overview.concern import MAX_COUNTED
from app.core import db
from app.core.values import frozen
from app.customers import Customer
from app.operators import OperatorPages, Role
from app.payers import Payer
from app.web.addresses.urls import external

pages = OperatorPages("console_overview", __name__)

NEWEST = 8
DEFAULT_SPAN = "30d"


@frozen
class Newcomer:
    """A customer who signed up recently."""

    id: str
    name: str
    created_at: datetime
    status: str


@frozen
class Step:
    """One step of a new installation. A `link` is shown in full, ready to share."""

    title: str
    is_done: bool
    words: str
    endpoint: str | None = None
    label: str = ""
    link: str | None = None


@pages.page("/", role=Role.VIEWER)
def page() -> ResponseReturnValue:
    """The overview, or the first steps while there is no customer."""
    session = db.session()
    installed = apps.installed(session)
    newcomers = _newcomers(session, _chosen(installed))
    if not newcomers:
        return render_template(
            "console/overview/page.html",
            steps=_steps(session, installed),
            concerns=attention.concerns(session, installed),
            form_id=db.new_id(),
        )
    chosen = _chosen(installed)
    dates = date_range.read(request.args, default=DEFAULT_SPAN)
    app_id = chosen.id if chosen else None
    slow_answers = current_app.extensions["gangway.slow_answers"]
    answer = render_template(
        "console/overview/page.html",
        steps=None,
        funnel=slow_answers.get(
            (dates.first, dates.last, app_id), lambda: funnel.count(session, dates, app_id)
        ),
        dates=dates,
        ranges=date_range.NAMES,
        newcomers=newcomers,
        concerns=attention.concerns(session, installed),
        most=MAX_COUNTED,
        form_id=db.new_id(),
        apps=installed,
        chosen=chosen,
        current_url=urls.current_url,
    )
    return answer, 422 if dates.errors else 200


def _chosen(installed: list[apps.App]) -> apps.App | None:
    """The app in the URL, else the default app, else any."""
    named = urls.choice("app", [app.id for app in installed])
    ranked = sorted(installed, key=lambda app: (app.id != named, not app.is_default))
    return ranked[0] if ranked else None


def _newcomers(session: Session, app: apps.App | None) -> list[Newcomer]:
    is_theirs = sa.and_(
        Payer.customer_id == Customer.id, Payer.app_id == (app.id if app else ""), Payer.deleted_at.is_(None)
    )
    rows = session.execute(
        sa.select(Customer.id, Customer.name, Customer.created_at, Payer.status)
        .outerjoin(Payer, is_theirs)
        .where(Customer.deleted_at.is_(None))
        .order_by(Customer.created_at.desc(), Customer.id.desc())
        .limit(NEWEST)
    )
    return [Newcomer(id_, name, created_at, status or "none") for id_, name, created_at, status in rows]


def _steps(session: Session, installed: list[apps.App]) -> list[Step]:
    """The steps of a new installation, in order."""
    has_token = session.scalar(sa.select(operators.ApiToken.id).limit(1)) is not None
    is_branded = portal.published().default.brand.company_name != portal.Brand().company_name
    return [
        Step(
            "Install your Stripe account",
            bool(installed),
            "Start with a test API key. You can add a live one later.",
            "console_stripe.page",
            "Go to the Stripe page",
        ),
        Step(
            "Add your brand",
            is_branded,
            "Choose the name, logo, color, texts and languages that your customers see.",
            "console_portal.page",
            "Go to the portal",
        ),
        Step(
            "Protect your account",
            operators.current().has_second_factor,
            "Set up a second factor: a code from your phone in addition to your password.",
            "operators.account",
            "Go to your account",
        ),
        Step(
            "Connect your programs",
            has_token,
            "With an API token they create customers and open checkout sessions. Optional.",
            "operators.tokens",
            "Go to API tokens",
        ),
        Step(
            "Share your sign-up page",
            is_done=False,
            words="Or create a customer here and send a link. This list disappears with your first sign-up.",
            link=external("onboarding.form"),
        ),
    ]
