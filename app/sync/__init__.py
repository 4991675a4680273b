"""Keeping our record equal to Stripe's truth."""

from app.sync.backfill import Backfilled, backfill
from app.sync.backfill import ask as ask_for_backfill
from app.sync.backlog import overdue
from app.sync.beats import Beat, workers
from app.sync.converge import Outcome, converge
from app.sync.leases import Lease, claim, claim_due
from app.sync.models import Backfill, Pace
from app.sync.refresh import refresh
from app.sync.strays import FEW_PAGES, Strays, strays
from app.sync.worker import Worker, drain, tend, turn

__all__ = [
    "FEW_PAGES",
    "Backfill",
    "Backfilled",
    "Beat",
    "Lease",
    "Outcome",
    "Pace",
    "Strays",
    "Worker",
    "ask_for_backfill",
    "backfill",
    "claim",
    "claim_due",
    "converge",
    "drain",
    "overdue",
    "refresh",
    "strays",
    "tend",
    "turn",
    "workers",
]
