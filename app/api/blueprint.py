"""A blueprint for JSON routes: one decorator checks, documents and dispatches an operation."""

from collections.abc import Callable, Mapping
from functools import wraps
from types import NoneType
from typing import Any, get_type_hints

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from pydantic import TypeAdapter

from app.api import dispatch
from app.api.operation import Method, Operation, Scope

View = Callable[..., dispatch.Answer]


class Api(Blueprint):
    """A blueprint with operations as routes."""

    def __init__(self, name: str, import_name: str, *, tag: str) -> None:
        super().__init__(name, import_name, url_prefix="/api/v1")
        self._tag = tag
        self.operations: list[Operation] = []

    def operation(
        self,
        method: Method,
        rule: str,
        *,
        id: str,  # noqa: A002 (OpenAPI's own word)
        scope: Scope,
        status: int | None = None,
        errors: tuple[int, ...] = (),
        examples: Mapping[str, Any] | None = None,
        headers: tuple[str, ...] = (),
    ) -> Callable[[View], View]:
        """Make a function an operation. It is called with path values, and with `body` and `query` read.

        The types of these and of what it returns say what may be sent and what comes back. The status is 200,
        or 204 when nothing comes back, unless another is given. The function may flush, but the dispatch
        commits.
        """

        def register(view: View) -> View:
            types = get_type_hints(view, include_extras=True)
            answers = None if types["return"] is NoneType else types["return"]
            summary, _, description = (view.__doc__ or "").strip().partition("\n")
            operation = Operation(
                id=id,
                tag=self._tag,
                method=method,
                rule=f"{self.url_prefix}{rule}",
                summary=summary,
                description=" ".join(description.split()),
                scope=scope,
                status=status or (204 if answers is None else 200),
                body=types.get("body"),
                query=types.get("query"),
                answers=answers,
                errors=errors,
                examples=examples or {},
                headers=headers,
            )
            self.operations.append(operation)
            self.add_url_rule(rule, id, _served(operation, view), methods=[method])
            return view

        return register


def _served(operation: Operation, view: View) -> Callable[..., ResponseReturnValue]:
    body_type = TypeAdapter(operation.body) if operation.body is not None else None

    @wraps(view)
    def serve(**values: str) -> Response:
        return dispatch.dispatch(operation, view, values, body_type)

    return serve
