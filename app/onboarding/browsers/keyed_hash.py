"""Hashes that only this installation can compute."""

import hashlib
import hmac

from flask import current_app


def keyed_hash(kind: str, text: str) -> str:
    """Hash a short secret with the installation's key, so that nobody can guess it back from the database."""
    key = str(current_app.secret_key).encode()
    return hmac.new(key, f"billing-{kind}:{text}".encode(), hashlib.sha256).hexdigest()
