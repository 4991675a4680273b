"""Examination and repair of an installed Stripe app."""

from app.doctor.actions import examine, findings_of, latest, repair, run, state_of
from app.doctor.findings import Finding, State, worst
from app.doctor.models import Examination
from app.doctor.schedule import examine_due

__all__ = [
    "Examination",
    "Finding",
    "State",
    "examine",
    "examine_due",
    "findings_of",
    "latest",
    "repair",
    "run",
    "state_of",
    "worst",
]
