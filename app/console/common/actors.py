"""The names of actors, for people."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.onboarding.handovers import HandoverSecret
from app.operators import ApiToken, Operator

PLAIN = {
    "visitor": "The customer, in a browser",
    "login page": "Somebody on the login page",
    "stripe": "Stripe",
    "worker": "Gangway",
    "command": "Command line",
}
IDS: sa.BindParameter[list[str]] = sa.bindparam("ids", expanding=True)
OPERATORS = sa.select(Operator.id, Operator.name, Operator.email).where(Operator.id.in_(IDS))
TOKENS = sa.select(ApiToken.id, ApiToken.name).where(ApiToken.id.in_(IDS))
HANDOVER_SECRETS = sa.select(HandoverSecret.id, HandoverSecret.name).where(HandoverSecret.id.in_(IDS))


def names(session: Session, actors: Iterable[str]) -> dict[str, str]:
    """The name of each actor of the audit log (`visitor`, `operator:<id>`, …), in three queries at most."""
    wanted = set(actors)
    found = {actor: PLAIN.get(actor, actor) for actor in wanted}
    ids = _ids(wanted, "operator")
    if ids:
        people = session.execute(OPERATORS, {"ids": ids})
        found |= {f"operator:{id_}": name or email for id_, name, email in people}
    ids = _ids(wanted, "token")
    if ids:
        tokens = session.execute(TOKENS, {"ids": ids})
        found |= {f"token:{id_}": f"API token “{name}”" for id_, name in tokens}
    ids = _ids(wanted, "handover")
    if ids:
        secrets = session.execute(HANDOVER_SECRETS, {"ids": ids})
        found |= {f"handover:{id_}": f"Hand-over secret “{name}”" for id_, name in secrets}
    return found


def _ids(actors: Iterable[str], kind: str) -> list[str]:
    return [actor.removeprefix(f"{kind}:") for actor in actors if actor.startswith(f"{kind}:")]
