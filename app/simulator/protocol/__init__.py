"""Stripe's protocol: requests and answers, errors, lists, idempotency, faults, events and their delivery."""
