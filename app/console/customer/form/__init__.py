"""The form of a customer: create and edit."""
