"""Gangway: from a sign-up form to a saved payment method, with Stripe and our records in agreement."""

from typing import TYPE_CHECKING, Any

__all__ = ["create_app"]

if TYPE_CHECKING:
    from app.application import create_app
else:  # the type checker would believe that there is every name

    def __getattr__(name: str) -> Any:
        """Import the application when somebody asks for it, so that `gangway --help` need not."""
        if name != "create_app":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from app.core.lean import lean_imports  # noqa: PLC0415

        with lean_imports():
            from app.application import create_app  # noqa: PLC0415

        return create_app
