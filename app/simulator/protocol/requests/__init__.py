"""How a request is read: its encoding, its parameters and its API version."""
