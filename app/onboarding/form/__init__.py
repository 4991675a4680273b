"""The sign-up form: its fields, what it says of a customer, and the guard against programs."""
