"""Lists, a page at a time."""

from collections.abc import Sequence
from typing import Generic, Self, TypeVar

from pydantic import Field

from app.api.wire import WireModel

Item = TypeVar("Item")


class PageQuery(WireModel):
    """Which page of a list, and how much on it."""

    page: int = Field(default=1, ge=1)
    page_size: int = Field(default=100, ge=1, le=1000)

    def of(self, items: Sequence[Item]) -> list[Item]:
        """The page of a list that is short enough to be read whole. One past the end is empty."""
        start = (self.page - 1) * self.page_size
        return list(items[start : start + self.page_size])


class PaginatedResponse(WireModel, Generic[Item]):
    """One page of a list, and how many there are in all."""

    items: list[Item]
    page: int = Field(ge=1, examples=[1])
    page_size: int = Field(ge=1, examples=[100])
    total_count: int = Field(ge=0, examples=[1])

    @classmethod
    def of(cls, query: PageQuery, items: list[Item], total_count: int) -> Self:
        """The answer to a query."""
        return cls(items=items, page=query.page, page_size=query.page_size, total_count=total_count)
