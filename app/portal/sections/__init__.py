"""The sections of a profile: one module and one model for each."""

__all__: list[str] = []
