"""The names of actors, for people."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import operators
from app.onboarding.handovers import HandoverSecret

PLAIN = {
    "visitor": "The customer, in a browser",
    "login page": "Somebody on the login page",
    "stripe": "Stripe",
    "worker": "Gangway",
    "command": "Command line",
}


def names(session: Session, actors: Iterable[str]) -> dict[str, str]:
    """The name of each actor of the audit log (`visitor`, `operator:<id>`, …), in three queries at most."""
    wanted = set(actors)
    found = {actor: PLAIN.get(actor, actor) for actor in wanted}
    people, tokens = operators.Operator, operators.ApiToken
    ids = _ids(wanted, "operator")
    if ids:
        query = sa.select(people.id, people.name, people.email).where(people.id.in_(ids))
        found |= {f"operator:{id_}": name or email for id_, name, email in session.execute(query)}
    ids = _ids(wanted, "token")
    if ids:
        called = sa.select(tokens.id, tokens.name).where(tokens.id.in_(ids))
        found |= {f"token:{id_}": f"API token “{name}”" for id_, name in session.execute(called)}
    ids = _ids(wanted, "handover")
    if ids:
        signed = sa.select(HandoverSecret.id, HandoverSecret.name).where(HandoverSecret.id.in_(ids))
        found |= {f"handover:{id_}": f"Hand-over secret “{name}”" for id_, name in session.execute(signed)}
    return found


def _ids(actors: Iterable[str], kind: str) -> set[str]:
    return {actor.removeprefix(f"{kind}:") for actor in actors if actor.startswith(f"{kind}:")}
