"""Addresses: of visitors, of this portal behind its proxies, of routes and redirects."""
