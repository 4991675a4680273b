"""Accounts, passwords, second factors, sessions, one-time links and API tokens."""
