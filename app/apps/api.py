"""Apps and the marketplace for programs. Uninstalling is with the payers, who go with their app."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from flask import Response, after_this_request, g

from app.api.blueprint import Api
from app.api.paging import PageQuery
from app.apps import actions, keys, queries
from app.apps.connections import connect
from app.apps.install import install as install_account
from app.apps.schemas import (
    LISTING,
    AppPaginatedResponse,
    MarketplaceAPIKeyInstallRequest,
    MarketplaceInstallRequestPayload,
    MarketplaceInstallResponse,
    MarketplaceListing,
    MarketplaceListingPaginatedResponse,
    StripeAPIKeyInput,
    StripeApp,
    StripeAppReplaceUpdate,
    read_app_id,
    read_app_type,
)
from app.apps.webhook import endpoints
from app.core import db
from app.core.config import settings
from app.core.errors import Invalid, NotFound, Unauthorized, Unsupported
from app.gateway import StripeFailed, StripeKeyRejected

api = Api("apps", __name__, tag="Apps")


@api.operation("GET", "/apps", id="listApps", scope="read")
def list_(query: PageQuery) -> AppPaginatedResponse:
    """List the installed apps, the oldest first."""
    found = queries.installed(db.session())
    return AppPaginatedResponse.of(query, [StripeApp.of(row) for row in query.of(found)], len(found))


@api.operation("GET", "/apps/<segment:id>", id="getApp", scope="read", errors=(404,))
def get(id: str) -> StripeApp:  # noqa: A002 (OpenMeter's name, here and below)
    """Get an app.

    An uninstalled one, too: it has `deletedAt`.
    """
    return StripeApp.of(queries.by_id(db.session(), read_app_id(id, "id")))


@api.operation(
    "PUT",
    "/apps/<segment:id>",
    id="updateApp",
    scope="admin",
    errors=(404, 412),
    examples={"rename": {"type": "stripe", "name": "Stripe Europe", "description": "For the euro zone"}},
)
def replace(id: str, body: StripeAppReplaceUpdate) -> StripeApp:  # noqa: A002
    """Replace an app's details.

    A description and metadata that are left out are cleared. The API key is changed only if one is given. If
    Stripe rejects it, the answer is 401, and the app keeps its old key.
    """
    session = db.session()
    with _key_given_as("secretAPIKey"):
        app = actions.change(session, read_app_id(id, "id"), body.details(), actor=g.actor)
    return StripeApp.of(app)


@api.operation(
    "PUT", "/apps/<segment:id>/stripe/api-key", id="updateStripeAPIKey", scope="admin", errors=(404, 412)
)
def replace_key(id: str, body: StripeAPIKeyInput) -> None:  # noqa: A002
    """Replace an app's API key.

    It must be of the same account and mode. If Stripe rejects it, the answer is 401, and the app keeps
    its old key.
    """
    session = db.session()
    with _key_given_as("secretAPIKey"):
        keys.replace_key(session, read_app_id(id, "id"), body.secret_api_key, actor=g.actor)


@api.operation("GET", "/marketplace/listings", id="listMarketplaceListings", scope="read")
def list_listings(query: PageQuery) -> MarketplaceListingPaginatedResponse:
    """List the kinds of app that can be installed."""
    return MarketplaceListingPaginatedResponse.of(query, query.of([LISTING]), 1)


@api.operation(
    "GET", "/marketplace/listings/<segment:type>", id="getMarketplaceListing", scope="read", errors=(404,)
)
def get_listing(type: str) -> MarketplaceListing:  # noqa: A002
    """Get a kind of app."""
    return _listing(type)


@api.operation(
    "POST",
    "/marketplace/listings/<segment:type>/install/apikey",
    id="marketplaceAppAPIKeyInstall",
    scope="admin",
    errors=(404, 409, 412),
    examples={"Stripe": {"apiKey": "sk_test_…", "name": "Stripe Europe"}},
)
def install(type: str, body: MarketplaceAPIKeyInstallRequest) -> MarketplaceInstallResponse:  # noqa: A002
    """Install a Stripe account by its API key.

    The key is checked and our webhook endpoint is made. The app becomes the default, the one that is used
    where none is named, in place of any other, unless `createBillingProfile` is false.
    """
    _listing(type)
    session, url = db.session(), settings().public_url
    with _key_given_as("apiKey"):
        app = install_account(
            session,
            body.api_key,
            public_url=url,
            actor=g.actor,
            name=body.name,
            takes_default=body.create_billing_profile,
        )

    @after_this_request  # when it is committed
    def _sweep(answer: Response) -> Response:
        if answer.status_code == 200:
            with suppress(StripeFailed):  # it is installed; the next installation sweeps as well
                endpoints.delete_orphans(session, connect(app), url)
        return answer

    return MarketplaceInstallResponse.of(app)


@api.operation(
    "POST",
    "/marketplace/listings/<segment:type>/install",
    id="marketplaceAppInstall",
    scope="admin",
    errors=(404,),
)
def install_without_key(type: str, body: MarketplaceInstallRequestPayload) -> MarketplaceInstallResponse:  # noqa: A002, ARG001
    """Install an app that needs no credentials.

    There is none: a Stripe account is installed by its API key.
    """
    raise Invalid(f"{_listing(type).name} can't be installed without an API key: use install/apikey.")


@api.operation(
    "GET",
    "/marketplace/listings/<segment:type>/install/oauth2",
    id="marketplaceOAuth2InstallGetURL",
    scope="admin",
    status=501,
    errors=(404, 501),
)
def install_with_oauth2(type: str) -> None:  # noqa: A002
    """Begin an installation with OAuth2.

    This is not offered: a Stripe account is installed by its API key.
    """
    raise _no_oauth2(type)


@api.operation(
    "GET",
    "/marketplace/listings/<segment:type>/install/oauth2/authorize",
    id="marketplaceOAuth2InstallAuthorize",
    scope="admin",
    status=501,
    errors=(404, 501),
)
def authorize_with_oauth2(type: str) -> None:  # noqa: A002
    """Finish an installation with OAuth2.

    This is not offered: a Stripe account is installed by its API key.
    """
    raise _no_oauth2(type)


def _listing(app_type: str) -> MarketplaceListing:
    if read_app_type(app_type) != LISTING.type:
        raise NotFound(f"Apps of type {app_type} are not offered here.")
    return LISTING


def _no_oauth2(app_type: str) -> Unsupported:
    return Unsupported(f"{_listing(app_type).name} is installed by its API key: OAuth2 is not offered.")


@contextmanager
def _key_given_as(field: str) -> Iterator[None]:
    """Name the field in which a bad key was given. Only here, Stripe's 401 is the caller's fault."""
    try:
        yield
    except StripeKeyRejected as error:
        raise Unauthorized(error.detail) from error
    except keys.UnusableKey as error:
        raise Invalid(error.detail, fields={f"/{field}": error.detail}) from error
