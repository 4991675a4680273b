"""Signing up: the form's page, what it stores, and the page for a browser that did it before."""
