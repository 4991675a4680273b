"""The first page: the funnel, the newest customers and what needs attention."""

__all__: list[str] = []
