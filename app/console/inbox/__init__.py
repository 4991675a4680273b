"""Every received Stripe event, and its outcome."""

__all__: list[str] = []
