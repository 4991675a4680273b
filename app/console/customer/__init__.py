"""The page of one customer, and what an operator may do there."""

__all__: list[str] = []
