"""The page of one customer, and all that an operator may do there."""

__all__: list[str] = []
