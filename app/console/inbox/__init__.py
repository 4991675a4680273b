"""Every Stripe event received, and what became of it."""

__all__: list[str] = []
