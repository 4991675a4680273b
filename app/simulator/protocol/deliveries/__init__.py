"""Deliveries of events: the queue, each attempt, and its signature."""
