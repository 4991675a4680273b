"""The arguments of the customers page, and the query that they describe."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from app import apps, customers
from app.checkout import CheckoutSession
from app.console.common import urls
from app.console.customers.queries import MAX_COUNTED, CustomerQuery, PageRequest
from app.core.db import is_id
from app.core.values import frozen
from app.customers import Customer
from app.payers import Payer, PaymentMethod, PaymentStatus
from app.web.keyset import Position
from app.webhooks import Event

SORTS = {
    "-created": "Newest first",
    "created": "Oldest first",
    "name": "Name, A to Z",
    "-name": "Name, Z to A",
}
PAGE_LABELS = {  # of the links to the first page, the one before and the one after
    "-created": ("Newest", "Newer", "Older"),
    "created": ("Oldest", "Older", "Newer"),
    "name": ("First", "Previous", "Next"),
    "-name": ("First", "Previous", "Next"),
}
SIZES = (25, 50, 100)
COLUMNS = {
    "email": "Email",
    "key": "Key",
    "subjects": "Subject keys",
    "status": "Payment",
    "method": "Method",
    "created": "Created",
    "verified": "Checked with Stripe",
    "app": "Stripe app",
    "stripe": "Stripe customer",
    "id": "Id",
}
GROUPS = (("key", "subjects"), ("status", "method"), ("created",), ("verified",), ("app", "stripe"), ("id",))
USUAL = ("email", "key", "subjects", "status", "method", "created", "verified")
MAX_TEXT_LENGTH = 1_000
MAX_SLOWLY_COUNTED = 3_000  # where no index alone tells who matches

Query = sa.Select[str]
_of_payer = sa.select(Payer.customer_id)
STRIPE_IDS: dict[str, Callable[[str], Query]] = {
    "cus": lambda id_: _of_payer.where(Payer.stripe_customer_id == id_),
    "cs": lambda id_: _of_payer.join(CheckoutSession).where(CheckoutSession.stripe_session_id == id_),
    "seti": lambda id_: _of_payer.join(CheckoutSession).where(CheckoutSession.setup_intent_id == id_),
    # The first column of these keys is the app; there are few.
    "pm": lambda id_: _of_payer.join(PaymentMethod).where(
        PaymentMethod.app_id.in_(sa.select(apps.App.id)), PaymentMethod.id == id_
    ),
    "evt": lambda id_: _of_payer.join(Event, Event.payer_id == Payer.id).where(
        Event.app_id.in_(sa.select(apps.App.id)), Event.id == id_
    ),
}


@frozen(kw_only=True)
class ListRequest:
    """The arguments of the list's URL. Unknown filter values are ignored."""

    text: str = ""
    status: PaymentStatus | None = None
    app_id: str | None = None
    are_deleted: bool = False
    are_waiting: bool = False  # for an operator who approves their sign-up
    sort: str = "-created"
    before: Position | None = None
    after: Position | None = None
    size: int = 50
    columns: tuple[str, ...] = USUAL

    @classmethod
    def of(cls, args: MultiDict[str, str]) -> "ListRequest":
        """Read the URL. Raises NotFound for a position that is none."""
        status, sort = args.get("status", ""), args.get("sort", "")
        sort = sort if sort in SORTS else cls.sort
        read_position = urls.named_position if sort.endswith("name") else urls.timed_position
        size = args.get("size", 0, type=int)
        columns = args.getlist("columns")
        return cls(
            text=" ".join(args.get("q", "")[:MAX_TEXT_LENGTH].split()),
            status=PaymentStatus(status) if status in set(PaymentStatus) else None,
            app_id=app_id if is_id(app_id := args.get("app", "").upper()) else None,
            are_deleted=args.get("show") == "deleted",
            are_waiting=args.get("show") == "waiting",
            sort=sort,
            before=read_position("before"),
            after=read_position("after"),
            size=size if size in SIZES else cls.size,
            columns=tuple(name for name in COLUMNS if name in columns) if columns else USUAL,
        )

    @property
    def groups(self) -> list[list[str]]:
        """The shown columns, grouped as they share a cell. The email is below the name."""
        shown = [[name for name in group if name in self.columns] for group in GROUPS]
        return [group for group in shown if group]

    def turned(self) -> "ListRequest":
        """The same list of deleted customers, or of live ones."""
        return replace(self, are_deleted=not self.are_deleted, are_waiting=False, before=None, after=None)

    @property
    def is_filtered(self) -> bool:
        """Does any filter apply?"""
        return bool(self.text or self.status or self.app_id or self.show)

    @property
    def show(self) -> str | None:
        """Which customers: None shows all live ones."""
        return "deleted" if self.are_deleted else "waiting" if self.are_waiting else None

    @property
    def descending(self) -> bool:
        """Is the order descending?"""
        return self.sort.startswith("-")

    @property
    def order_by(self) -> str:
        """The sort key: `name` or `created`."""
        return self.sort.removeprefix("-")

    @property
    def page_request(self) -> PageRequest:
        """The page of the list that is shown."""
        return PageRequest(
            order_by=self.order_by,
            descending=self.descending,
            size=self.size,
            before=self.before,
            after=self.after,
        )

    def cleared(self) -> dict[str, Any]:
        """The arguments of the list without its filters."""
        return replace(
            self, text="", status=None, app_id=None, are_deleted=False, are_waiting=False
        ).address()

    def address(self, **changes: Any) -> dict[str, Any]:
        """The arguments of the same list with some changed, without defaults. It starts at the first page."""
        kept: dict[str, Any] = {
            "q": self.text,
            "status": self.status,
            "app": self.app_id,
            "show": self.show,
            "sort": self.sort,
            "size": self.size,
            "columns": ["name", *self.columns] if self.columns != USUAL else None,
        }
        usual = {"sort": ListRequest.sort, "size": ListRequest.size}
        return {name: value for name, value in (kept | changes).items() if value and value != usual.get(name)}


def names_a_stripe_id(text: str) -> bool:
    """Does this look like a Stripe id that can lead to a customer?"""
    return re.fullmatch(rf"({'|'.join(STRIPE_IDS)})_[A-Za-z0-9_]{{3,250}}", text, re.ASCII) is not None


def holders(session: Session, text: str) -> list[str]:
    """The customers with exactly this id, ours or Stripe's, deleted ones included."""
    if is_id(text.upper()):
        return list(session.scalars(sa.select(Customer.id).where(Customer.id == text.upper())))
    if names_a_stripe_id(text):
        return list(session.scalars(STRIPE_IDS[text.partition("_")[0]](text).distinct()))
    return []


def build_query(asked: ListRequest, held_by: list[str], installed: int) -> CustomerQuery:
    """Which customers match. `held_by` have the text as an id; `installed` counts apps."""
    filters: list[sa.ColumnElement[bool]] = []
    if held_by:
        filters.append(Customer.id.in_(held_by))
    elif asked.text:
        filters.append(customers.fits(asked.text))
    if asked.are_waiting:
        filters.append(Customer.approval == customers.WAITING)
    if not asked.status and not asked.app_id:
        return CustomerQuery(filters=filters, are_deleted=asked.are_deleted)
    of_payer: list[sa.ColumnElement[bool]] = [Payer.deleted_at.is_(None)]
    if asked.app_id:
        of_payer.append(Payer.app_id == asked.app_id)
    if asked.status is PaymentStatus.NONE:
        not_begun = ~sa.exists().where(
            Payer.customer_id == Customer.id, *of_payer, Payer.status != PaymentStatus.NONE
        )
        return CustomerQuery(
            filters=[*filters, not_begun], are_deleted=asked.are_deleted, max_counted=MAX_SLOWLY_COUNTED
        )
    if asked.status:
        of_payer.append(Payer.status == asked.status)
    with_payer = sa.select(Payer.customer_id).where(*of_payer)
    if filters or asked.are_deleted:
        filters.append(Customer.id.in_(with_payer))
        return CustomerQuery(filters=filters, are_deleted=asked.are_deleted, max_counted=MAX_SLOWLY_COUNTED)
    # A customer in several apps has several payers. Read enough to see that many customers match.
    most = (MAX_COUNTED + 1) * (1 if asked.app_id else max(installed, 1))
    ids = sa.select(with_payer.limit(most).subquery().c.customer_id).distinct()
    return CustomerQuery(filters=[Customer.id.in_(with_payer)], ids=ids)
