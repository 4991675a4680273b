"""Answering a repeated POST as the first time."""

from app.idempotency.actions import begin, fingerprint, finish, forget, purge
from app.idempotency.models import Request

__all__ = ["Request", "begin", "fingerprint", "finish", "forget", "purge"]
