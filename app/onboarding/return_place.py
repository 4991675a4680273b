"""What a program may name in a hand-over or a link: a profile, and a return URL that the profile allows."""

from app import portal
from app.core.errors import Invalid, NotFound
from app.web.addresses.redirects import is_on_host


def check_place(profile_slug: str | None, return_url: str | None) -> None:
    """Raise Invalid for a profile that does not exist, and for a return URL that it does not allow."""
    try:
        profile = portal.profile(profile_slug)
    except NotFound as error:
        raise Invalid("there is no such profile", fields={"/profile": "there is no such profile"}) from error
    hosts = profile.after.allowed_return_hosts
    if return_url and hosts and not is_on_host(return_url, hosts):
        allowed = f"must lead to one of the allowed hosts: {', '.join(hosts)}"
        raise Invalid(f"returnURL {allowed}", fields={"/returnURL": allowed})
