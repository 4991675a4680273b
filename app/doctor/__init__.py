"""Examination and repair of an installed Stripe app."""

from app.doctor.actions import examine, findings_of, latest, repair, run, state_of
from app.doctor.findings import Finding, State, worst
from app.doctor.models import Examination

__all__ = [
    "Examination",
    "Finding",
    "State",
    "examine",
    "findings_of",
    "latest",
    "repair",
    "run",
    "state_of",
    "worst",
]
