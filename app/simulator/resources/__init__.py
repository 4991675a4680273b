"""Stripe's objects and the operations on them."""
