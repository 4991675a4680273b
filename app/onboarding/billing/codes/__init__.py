"""Getting in by a one-time code: ask for one by email, then enter it."""
