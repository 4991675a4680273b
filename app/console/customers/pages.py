"""The list of customers: search, filter, sort, and the same as a file."""

from functools import partial

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import apps, audit, customers, operators
from app.console.customers import file as customer_file
from app.console.customers import search as customer_search
from app.console.customers.rows import payments
from app.console.customers.search import Asked
from app.core import db
from app.core.config import settings
from app.core.db import utcnow
from app.operators import OperatorPages, Role
from app.payers import PaymentStatus, status_info

pages = OperatorPages("console_customers", __name__)


@pages.page("/customers", role=Role.VIEWER)
def page() -> ResponseReturnValue:
    """A page of those that fit; whoever an id belongs to is shown at once."""
    session, asked = db.session(), Asked.of(request.args)
    held_by = customer_search.holders(session, asked.text)
    if len(held_by) == 1:
        return redirect(url_for("console_customer.page", customer_id=held_by[0]), 303)
    installed = apps.installed(session)
    wanted = customer_search.wanted(asked, held_by, len(installed))
    listed = customers.listed(session, wanted, asked.cut)
    last = max(1, -(-listed.total // asked.size))
    if asked.page > last:
        return redirect(url_for(".page", **asked.address(page=last)), 303)
    return render_template(
        "console/customers/page.html",
        asked=asked,
        listed=listed,
        payments=payments(session, asked, [customer.id for customer in listed.customers]),
        first=asked.cut.skipped + 1,
        total=_number(listed.total, is_more=listed.is_more),
        last_page=last,
        page_url=lambda page: url_for(".page", **asked.address(page=page)),
        sort_url={order: partial(_sorted, asked, order) for order in ("name", "created")},
        elsewhere=None if listed.total else _elsewhere(asked, held_by, len(installed)),
        is_id=customer_search.names_a_stripe_id(asked.text),
        app_names={app.id: f"{app.name} ({'live' if app.livemode else 'test'})" for app in installed},
        statuses={status.value: status_info(status).label for status in PaymentStatus},
        sorts=customer_search.SORTS,
        sizes={size: str(size) for size in customer_search.SIZES},
        columns=customer_search.COLUMNS,
        public_url=settings().public_url,
    )


# Looking at somebody is for everyone who logs in; to carry all of them away is an act: not for viewers, and
# it stands in the audit log.
@pages.page("/customers.csv", role=Role.OPERATOR)
def file() -> ResponseReturnValue:
    """All that fit, as a file."""
    session, asked = db.session(), Asked.of(request.args)
    held_by = customer_search.holders(session, asked.text)
    wanted = customer_search.wanted(asked, held_by, len(apps.installed(session)))
    db.end_read(session)
    db.start_write(session)
    audit.note(
        session,
        "customers.exported",
        actor=operators.actor(),
        app_id=asked.app_id,
        status=asked.status,
        search="yes" if asked.text else None,  # but not what for: it may be a name
        deleted="yes" if asked.are_deleted else None,
    )
    session.commit()
    name = f"customers-{utcnow():%Y-%m-%d}.csv"
    return Response(
        customer_file.pieces(db.engine(), asked, wanted),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _elsewhere(asked: Asked, held_by: list[str], installed: int) -> str | None:
    """How many fit among the deleted instead of the live, or the other way round; None when nobody does."""
    others = customer_search.wanted(asked.turned(), held_by, installed)
    found = customers.count(db.session(), others)
    if not found:
        return None
    number = _number(min(found, others.many), is_more=found > others.many)
    which, what = "live" if asked.are_deleted else "deleted", "customer" if found == 1 else "customers"
    fit = " fits" if found == 1 else " fit"
    return f"{number} {which} {what}{fit if asked.text else ''}".capitalize()


def _number(total: int, *, is_more: bool) -> str:
    return f"{'more than ' if is_more else ''}{total:,}"


def _sorted(asked: Asked, order: str, direction: str) -> str:
    return url_for(".page", **asked.address(sort=order if direction == "asc" else f"-{order}"))
