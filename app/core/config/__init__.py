"""Settings, from `GANGWAY_*` variables. Reject an invalid one at start, and say what to set instead."""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import current_app
from pydantic import ConfigDict, ValidationError, model_validator

from app.core.config.brand import BrandSettings
from app.core.config.installation import STRIPE_API_BASE, InstallationSettings
from app.core.config.limits import LimitSettings
from app.core.config.operation import OperationSettings
from app.core.config.signup import SignupSettings
from app.core.config.worker import WorkerSettings
from app.core.environment import PREFIX, SettingsRefused, Sources, find_sources

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# https://www.rfc-editor.org/rfc/rfc6761 and 6762, and the names that home and office networks use
PRIVATE_DOMAINS = {"local", "localhost", "internal", "test", "example", "invalid", "lan", "home", "arpa"}
STRIPE_RATE = 20  # calls per second; Stripe allows 25 in test mode, and visitors need some of them

__all__ = ["LOOPBACK", "Settings", "SettingsRefused", "is_loopback", "is_public", "settings"]


class Settings(
    OperationSettings, WorkerSettings, LimitSettings, SignupSettings, BrandSettings, InstallationSettings
):
    """Everything that can be set, by subject in its base classes.

    The description of each field is its line in `.docs/settings.md`.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        str_strip_whitespace=True,
        hide_input_in_errors=True,  # it may be a secret
    )

    @model_validator(mode="after")
    def _simulator_on_loopback(self) -> "Settings":
        if self.stripe_api_base != STRIPE_API_BASE and not is_loopback(self.stripe_api_base):
            raise ValueError(
                "GANGWAY_STRIPE_API_BASE must be https://api.stripe.com or an address on loopback."
            )
        if not self.is_secure and not is_loopback(self.public_url):
            raise ValueError("GANGWAY_PUBLIC_URL must begin with https://; only loopback may be plain http.")
        return self

    @property
    def is_secure(self) -> bool:
        """Does the portal run on https?"""
        return self.public_url.startswith("https://")

    @property
    def is_simulated(self) -> bool:
        """Does a simulator replace Stripe?"""
        return self.stripe_api_base != STRIPE_API_BASE

    @property
    def is_pulling(self) -> bool:
        """Does Stripe send no events, so that the worker reads its list?"""
        return self.webhooks == "off" or not (self.is_simulated or is_public(self.public_url))

    @property
    def calls_per_second(self) -> int | None:
        """Return the workers' calls per second for each account. None means no limit."""
        return self.stripe_rate or (None if self.is_simulated else STRIPE_RATE)

    @property
    def signing_keys(self) -> list[str]:
        """Return the secret keys as itsdangerous expects them: the last one signs, all verify."""
        return [key.get_secret_value() for key in reversed(self.secret_key)]

    @classmethod
    def load(cls, sources: Sources | None = None) -> "Settings":
        """Read the environment and the env file. Raises SettingsRefused, a sentence for each bad setting."""
        return cls.of((sources or find_sources()).values(cls.model_fields))

    @classmethod
    def of(cls, values: Mapping[str, object]) -> "Settings":
        """Make settings of these values alone. Raises SettingsRefused with a sentence for each bad one."""
        try:
            return cls(**values)
        except ValidationError as error:
            raise SettingsRefused("\n".join(_sentences(error))) from error


def is_loopback(url: str) -> bool:
    """Does this URL stay on the machine?"""
    return (urlsplit(url).hostname or "") in LOOPBACK


def is_public(url: str) -> bool:
    """Can Stripe probably reach this URL over https?

    Judge by the name alone, without a connection.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        reachable = ip_address(host).is_global
    except ValueError:
        reachable = "." in host and host.rsplit(".", 1)[-1] not in PRIVATE_DOMAINS
    return parts.scheme == "https" and reachable


def _sentences(error: ValidationError) -> list[str]:
    """Say for each invalid setting what to set. Never show its value, which may be a secret."""
    sentences = []
    for problem in error.errors(include_input=False, include_url=False):
        if problem["type"] == "default_factory_not_called":
            continue  # another setting, which it depends on, is wrong
        if not problem["loc"]:
            sentences.append(str(problem["ctx"]["error"]))
            continue
        name = f"{PREFIX}{str(problem['loc'][0]).upper()}"
        if problem["type"] == "missing":
            sentences.append(f"{name} is missing: run `gangway init`, or set what `gangway key` prints.")
        elif problem["type"] == "value_error":
            sentences.append(f"{name} {problem['ctx']['error']}.")
        else:
            said = problem["msg"]
            sentences.append(f"{name} is wrong: {said[0].lower()}{said[1:]}.")
    return sentences


def settings() -> Settings:
    """Return the settings of the current application."""
    found = current_app.extensions["gangway.settings"]
    assert isinstance(found, Settings)
    return found
