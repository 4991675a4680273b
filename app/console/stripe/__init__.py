"""The pages of the installed Stripe apps."""

__all__: list[str] = []
