"""The list of customers: search, filter, sort, and the same as a file."""

from functools import partial

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import apps, audit, operators
from app.console.common import urls
from app.console.customers import csv_file, queries, search
from app.console.customers.payment_columns import payments
from app.console.customers.search import ListRequest
from app.core import db
from app.core.config import settings
from app.core.db import utcnow
from app.operators import OperatorPages, Role
from app.payers import PaymentStatus, status_info
from app.web.keyset import Position

pages = OperatorPages("console_customers", __name__)


@pages.page("/customers", role=Role.VIEWER)
def page() -> ResponseReturnValue:
    """A page of the matches. A Stripe id, or our id, leads straight to its customer."""
    session, asked = db.session(), ListRequest.of(request.args)
    held_by = search.holders(session, asked.text)
    if len(held_by) == 1:
        return redirect(url_for("console_customer.page", customer_id=held_by[0]), 303)
    installed = apps.installed(session)
    query = search.build_query(asked, held_by, len(installed))
    result = queries.page(session, query, asked.page_request)
    if not result.customers and asked.page_request.position:  # no rows are left there
        return redirect(url_for(".page", **asked.address()), 303)
    return render_template(
        "console/customers/page.html",
        asked=asked,
        result=result,
        payments=payments(session, asked, [customer.id for customer in result.customers]),
        total=_number(result.total, is_more=result.is_more),
        previous=result.previous and _page_url(asked, before=result.previous),
        next=result.next and _page_url(asked, after=result.next),
        page_labels=search.PAGE_LABELS[asked.sort],
        sort_url={order: partial(_sorted, asked, order) for order in ("name", "created")},
        elsewhere=None if result.total or asked.are_waiting else _elsewhere(asked, held_by, len(installed)),
        is_id=search.names_a_stripe_id(asked.text),
        app_names={app.id: f"{app.name} ({'live' if app.livemode else 'test'})" for app in installed},
        statuses={status.value: status_info(status).label for status in PaymentStatus},
        sorts=search.SORTS,
        sizes={size: str(size) for size in search.SIZES},
        columns=search.COLUMNS,
        public_url=settings().public_url,
    )


# Every role may look at customers. Viewers may not download them all, and the audit log names each download.
@pages.page("/customers.csv", role=Role.OPERATOR)
def file() -> ResponseReturnValue:
    """All matches, as a file."""
    session, asked = db.session(), ListRequest.of(request.args)
    held_by = search.holders(session, asked.text)
    query = search.build_query(asked, held_by, len(apps.installed(session)))
    db.start_write(session)
    audit.note(
        session,
        "customers.exported",
        actor=operators.actor(),
        app_id=asked.app_id,
        status=asked.status,
        search="yes" if asked.text else None,  # not the text: it may be a name
        deleted="yes" if asked.are_deleted else None,
        waiting="yes" if asked.are_waiting else None,
    )
    session.commit()
    name = f"customers-{utcnow():%Y-%m-%d}.csv"
    return Response(
        csv_file.pieces(db.engine(), asked, query),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _elsewhere(asked: ListRequest, held_by: list[str], installed: int) -> str | None:
    """How many deleted customers match instead of live ones, or the other way round; None without any."""
    others = search.build_query(asked.turned(), held_by, installed)
    found = queries.count(db.session(), others)
    if not found:
        return None
    number = _number(min(found, others.max_counted), is_more=found > others.max_counted)
    which, what = "live" if asked.are_deleted else "deleted", "customer" if found == 1 else "customers"
    match = " matches" if found == 1 else " match"
    return f"{number} {which} {what}{match if asked.text else ''}".capitalize()


def _number(total: int, *, is_more: bool) -> str:
    return f"{'more than ' if is_more else ''}{total:,}"


def _sorted(asked: ListRequest, order: str, direction: str) -> str:
    return url_for(".page", **asked.address(sort=order if direction == "asc" else f"-{order}"))


def _page_url(asked: ListRequest, **position: Position) -> str:
    return url_for(
        ".page",
        **asked.address(**{name: urls.format_position(place) for name, place in position.items()}),
    )
