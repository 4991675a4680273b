"""The secrets of signed hand-overs, for administrators."""

__all__: list[str] = []
