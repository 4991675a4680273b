"""The sign-up form: its fields, what it says about a customer, and the guard against programs."""
