"""Arriving with a hand-over: the form that it fills in, or the customer that it finds."""
