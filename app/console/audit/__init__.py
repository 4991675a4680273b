"""The page of the audit log."""

__all__: list[str] = []
