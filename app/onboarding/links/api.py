"""Onboarding links for programs."""

from flask import g
from sqlalchemy.orm import Session

from app import apps, customers
from app.api.blueprint import Api
from app.core import db
from app.core.errors import NotFound
from app.onboarding.links import actions, queries
from app.onboarding.links.schemas import OnboardingLink, OnboardingLinkCreate, OnboardingLinkCreated
from app.onboarding.return_place import check_place

api = Api("links", __name__, tag="Onboarding")

EXAMPLES = {
    "back to your app": {
        "profile": "default",
        "returnURL": "https://app.example.com/billing",
        "returnLabel": "Example App",
    }
}


@api.operation(
    "POST",
    "/customers/<segment:customerIdOrKey>/onboarding/links",
    id="createOnboardingLink",
    scope="write",
    status=201,
    errors=(404, 412),
    examples=EXAMPLES,
)
def create(customerIdOrKey: str, body: OnboardingLinkCreate) -> OnboardingLinkCreated:  # noqa: N803
    """Make a link with which a customer saves a payment method.

    It gives access as a guest: somebody who opens it sees nothing that was saved before. The customer's other
    links keep working.
    """
    check_place(body.profile, body.return_url)
    session = db.session()
    db.start_write(session)
    link, token = actions.create(
        session,
        customers.by_id_or_key(session, customerIdOrKey),
        actor=g.actor,
        app=apps.find(session, body.app_id) if body.app_id else None,
        profile=body.profile,
        expires_at=body.expires_at,
        return_url=body.return_url,
        return_label=body.return_label,
    )
    return OnboardingLinkCreated(
        **OnboardingLink.of(link).model_dump(),
        url=actions.url(token),
    )


@api.operation(
    "GET",
    "/customers/<segment:customerIdOrKey>/onboarding/links",
    id="listOnboardingLinks",
    scope="read",
    errors=(404,),
)
def list_(customerIdOrKey: str) -> list[OnboardingLink]:  # noqa: N803
    """List the links of a customer, the newest first."""
    session = db.session()
    customer = customers.by_id_or_key(session, customerIdOrKey)
    return [OnboardingLink.of(link) for link in queries.of_customer(session, customer.id)]


@api.operation(
    "DELETE",
    "/customers/<segment:customerIdOrKey>/onboarding/links/<segment:linkId>",
    id="revokeOnboardingLink",
    scope="write",
    errors=(404,),
)
def revoke(customerIdOrKey: str, linkId: str) -> None:  # noqa: N803
    """Revoke a link.

    It stops working, and browsers that opened it see nothing more. Repeating this does no harm.
    """
    session = db.session()
    db.start_write(session)
    customer = customers.by_id_or_key(session, customerIdOrKey)
    actions.revoke(session, _own(session, customer, linkId.upper()), actor=g.actor)


def _own(session: Session, customer: customers.Customer, link_id: str) -> str:
    """Return the id if it is one of the customer's links. Raises NotFound."""
    if link_id not in {link.id for link in queries.of_customer(session, customer.id)}:
        raise NotFound("There is no such link.")
    return link_id
