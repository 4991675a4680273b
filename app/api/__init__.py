"""What JSON routes share: operations, bodies and queries, documents, tokens and idempotent requests."""
