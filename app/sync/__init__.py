"""Keeping our record equal to Stripe's truth."""

from app.sync.converge import Outcome, converge
from app.sync.leases import Lease, claim, claim_due
from app.sync.refresh import refresh
from app.sync.worker import Worker, drain, turn

__all__ = ["Lease", "Outcome", "Worker", "claim", "claim_due", "converge", "drain", "refresh", "turn"]
