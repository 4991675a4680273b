"""Examining an app, mending what can be mended, and keeping what was found."""

from sqlalchemy.orm import Session

from app import apps, audit
from app.core import db
from app.core.db import utcnow
from app.doctor import local_checks, snapshot, stripe_checks
from app.doctor.findings import Finding, State, worst
from app.doctor.models import Examination
from app.doctor.repairs import REPAIRS
from app.gateway import StripeKeyRejected

WORKER = "worker"


def examine(session: Session, app: apps.App) -> list[Finding]:
    """Look at an app, here and at Stripe, and say what is found. Writes nothing. Ends the transaction."""
    return _findings(snapshot.take(session, app))


def run(session: Session, app: apps.App, *, actor: str, every_customer: bool = False) -> Examination:
    """Examine an app and store the findings. Flushes."""
    seen = snapshot.take(session, app, every_customer=every_customer)
    found = _findings(seen)
    before = latest(session, app.id)
    is_news = before is None or _troubles(findings_of(before)) != _troubles(found)
    db.start_write(session)
    kept = {"at": utcnow(), "actor": actor, "findings": [finding.facts() for finding in found]}
    session.execute(
        db.insert(session, Examination)
        .values(app_id=app.id, **kept)
        .on_conflict_do_update(index_elements=["app_id"], set_=kept)
    )
    if not seen.key_is_unreadable and (seen.silence is None or isinstance(seen.silence, StripeKeyRejected)):
        own = apps.by_id(session, app.id, lock=True)
        apps.note_key_state(session, own, accepted=seen.silence is None)
    if is_news or actor != WORKER:  # an entry for every hour would flood the audit log
        audit.note(
            session,
            "app.examined",
            actor=actor,
            app_id=app.id,
            red=str(sum(finding.state is State.RED for finding in found)),
            amber=str(sum(finding.state is State.AMBER for finding in found)),
        )
    session.flush()
    return session.get_one(Examination, app.id, populate_existing=True)


def repair(session: Session, app: apps.App, code: str, *, actor: str) -> bool:
    """Make the repair of a finding that still holds. Return False when there is nothing to repair. Commits.

    Raises what the gateway raises.
    """
    found = next((finding for finding in examine(session, app) if finding.code == code), None)
    if found is None or found.repair is None:
        return False
    REPAIRS[code, found.state](session, app, actor)
    if not session.in_transaction():
        db.start_write(session)
    audit.note(session, "app.repaired", actor=actor, app_id=app.id, code=code, cause=found.title)
    session.commit()
    return True


def latest(session: Session, app_id: str) -> Examination | None:
    """Return the last examination."""
    return session.get(Examination, app_id)


def findings_of(examination: Examination) -> list[Finding]:
    """Return the stored findings."""
    return [Finding.of(facts) for facts in examination.findings]


def state_of(examination: Examination) -> State:
    """Return the app's state at that time."""
    return worst(findings_of(examination))


def _findings(seen: snapshot.Snapshot) -> list[Finding]:
    """Return the findings, the worst first. Within a state, an earlier one may cause the later ones."""
    found = stripe_checks.findings(seen) + local_checks.findings(seen)
    return sorted(found, key=lambda finding: list(State).index(finding.state), reverse=True)


def _troubles(findings: list[Finding]) -> set[tuple[str, State]]:
    bad = {State.AMBER, State.RED}
    return {(finding.code, finding.state) for finding in findings if finding.state in bad}
