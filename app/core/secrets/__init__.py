"""Secrets: sealed at rest, strong enough, and typed without an echo."""
