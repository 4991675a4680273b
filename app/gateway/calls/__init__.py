"""The calls to Stripe, by their object."""
