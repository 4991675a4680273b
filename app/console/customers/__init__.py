"""The list of customers, and the same as a file."""

__all__: list[str] = []
