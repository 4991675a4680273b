"""What is wrong with one customer, why, and what to do about it."""
