"""A customer's own contact and tax data, and what happens when the email address changes."""
