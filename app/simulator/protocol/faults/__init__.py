"""Faults: what a test orders or chance brings, and the rate limit."""
