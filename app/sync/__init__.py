"""Keep our record equal to Stripe's."""

from app.sync.backfill import BackfillResult, backfill, request_backfill
from app.sync.backlog import overdue
from app.sync.convergence.asking import Outcome
from app.sync.convergence.contact import TAX_ID_REFUSAL
from app.sync.convergence.converge import converge, converge_many
from app.sync.details import SentDetails, send_details
from app.sync.methods import Unanswered, attached, choose_default, detach
from app.sync.models import Backfill, RateBudget
from app.sync.payer_leases import Lease, claim, claim_due
from app.sync.refresh import refresh
from app.sync.workers.heartbeat import WorkerHeartbeat, worker_threads
from app.sync.workers.worker import Chore, Worker, run_maintenance, run_once, run_until_idle

__all__ = [
    "TAX_ID_REFUSAL",
    "Backfill",
    "BackfillResult",
    "Chore",
    "Lease",
    "Outcome",
    "RateBudget",
    "SentDetails",
    "Unanswered",
    "Worker",
    "WorkerHeartbeat",
    "attached",
    "backfill",
    "choose_default",
    "claim",
    "claim_due",
    "converge",
    "converge_many",
    "detach",
    "overdue",
    "refresh",
    "request_backfill",
    "run_maintenance",
    "run_once",
    "run_until_idle",
    "send_details",
    "worker_threads",
]
