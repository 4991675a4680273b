"""Checkout Sessions, and what their page does."""
