"""The pages for login, the account, the team and API tokens."""
