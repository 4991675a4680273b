"""What the pages of the console share."""

__all__: list[str] = []
