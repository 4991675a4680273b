"""The worker: its loop, its threads, what wakes it, and its chores."""
