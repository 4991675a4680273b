"""The pages for payers."""
