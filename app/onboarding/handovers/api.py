"""Hand-overs for programs."""

from datetime import timedelta

from flask import g

from app import portal
from app.api.blueprint import Api
from app.core.db import utcnow
from app.core.errors import Invalid
from app.onboarding.handovers import values as handover_values
from app.onboarding.handovers.details import HandoverDetails
from app.onboarding.handovers.schemas import HandoverCreate, HandoverCreated
from app.onboarding.handovers.tokens import MAX_TOKEN_LENGTH, issue
from app.onboarding.return_place import check_place
from app.web.addresses.urls import external

api = Api("handovers", __name__, tag="Onboarding")

NO_QUESTIONS = "The profile has no questions of your own."
EXAMPLES = {
    "a user of your app": {
        "name": "Ada Lovelace",
        "email": "ada@example.com",
        "key": "customer-42",
        "subjectKeys": ["meter-42"],
        "locked": ["email"],
        "returnURL": "https://app.example.com/billing",
        "singleUse": True,
    }
}


@api.operation(
    "POST", "/onboarding/handovers", id="createHandover", scope="write", status=201, examples=EXAMPLES
)
def create(body: HandoverCreate) -> HandoverCreated:
    """Make a URL that hands a user of your app over to the sign-up form.

    Nothing is stored until the user submits the form. If a live customer has the key, the URL opens that
    customer's billing page instead. An app can also sign a hand-over itself, without this call.
    """
    check_place(body.profile, body.return_url)
    portal.use_profile(body.profile)
    _refuse_unknown(body)
    _refuse_unfit(body)
    expires_at = (utcnow() + body.lifetime).replace(microsecond=0) + timedelta(seconds=1)
    details = HandoverDetails.model_validate(
        body.model_dump(exclude={"expires_in_seconds"}, exclude_none=True)
    )
    token = issue(details, issuer=g.actor, expires_at=expires_at)
    if len(token) > MAX_TOKEN_LENGTH:
        raise Invalid("the details are too long for a URL: give fewer subject keys, or shorter texts")
    return HandoverCreated(url=external("onboarding.form", handover=token), expires_at=expires_at)


def _refuse_unknown(details: HandoverDetails) -> None:
    """Raise Invalid for an answer to a question that the profile does not have."""
    unknown = handover_values.unknown_questions(details)
    if unknown:
        known = handover_values.questions()
        problem = f"The profile has no such question. It has {', '.join(known)}." if known else NO_QUESTIONS
        said = " ".join(f"customFields.{name}: {problem}" for name in unknown)
        raise Invalid(said, fields={f"/customFields/{name}": problem for name in unknown})


def _refuse_unfit(details: HandoverDetails) -> None:
    """Raise Invalid for a fixed value that the form does not take: the form could never be sent."""
    problems = handover_values.refusals(details)
    if problems:
        said = " ".join(f"{name}: {problem}" for name, problem in problems.items())
        fields = {f"/{name.replace('.', '/')}": problem for name, problem in problems.items()}
        raise Invalid(f"the form of this profile refuses what its user can't change. {said}", fields=fields)
