"""Settings, from `GANGWAY_*` alone. Whatever makes no sense is refused at start, with what to set instead."""

import re
from collections.abc import Mapping
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import sqlalchemy as sa
from cryptography.fernet import Fernet
from email_validator import EmailNotValidError, validate_email
from flask import current_app
from limits import parse_many
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from app.core import currencies, key_strength
from app.core.addresses import checked_origin
from app.core.environment import (
    DISTRIBUTION,
    PREFIX,
    SettingsRefused,
    Sources,
    default_data_folder,
    find_sources,
)

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# https://www.rfc-editor.org/rfc/rfc6761 and 6762, and the names that home and office networks use
PRIVATE_DOMAINS = {"local", "localhost", "internal", "test", "example", "invalid", "lan", "home", "arpa"}
STRIPE_API_BASE = "https://api.stripe.com"
STRIPE_RATE = 20  # calls per second; Stripe allows 25 in test mode, and visitors need some of them

Listed = tuple[str, ...]  # comma-separated
DATABASE_NAME = "gangway.db"

__all__ = ["Settings", "SettingsRefused", "is_loopback", "is_public", "settings"]


def _default_database(earlier: dict[str, Any]) -> str:
    return f"sqlite:///{Path(earlier['data_dir']) / DATABASE_NAME}"


class Settings(BaseModel):
    """Everything that can be set. The description of each field is its line in the README."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        str_strip_whitespace=True,
        hide_input_in_errors=True,  # it may be a secret
    )

    data_dir: Path = Field(
        default_factory=default_data_folder,
        description="Folder of the env file and the SQLite database",
    )

    public_url: str = Field(
        default="http://127.0.0.1:8000",
        description="Where browsers and Stripe reach this portal; every absolute URL begins with it",
    )
    secret_key: tuple[SecretStr, ...] = Field(
        description=("Comma-separated keys of 32 random characters or more; the first signs, all verify")
    )
    encryption_keys: tuple[SecretStr, ...] = Field(
        description="Comma-separated Fernet keys for secrets at rest; the first seals, all open"
    )
    database_url: str = Field(
        default_factory=_default_database,
        description="`sqlite:///…` or `postgresql+psycopg://…`",
    )
    stripe_api_base: str = Field(
        default=STRIPE_API_BASE, description="Stripe's address, or a simulator's on loopback"
    )
    checkout_origins: Listed = Field(
        default=(),
        description="Comma-separated origins of custom Checkout domains, `https://pay.example.com`",
    )
    redirect_origins: Listed = Field(
        default=(),
        description=(
            "Comma-separated origins that programs may have customers sent back to, "
            "`https://app.example.com`; none: any http(s) URL"
        ),
    )
    company_name: str = Field(default="Acme Cloud", description="Your name on every page", min_length=1)
    logo_file: Path | None = Field(
        default=None, description="Your logo, an SVG, PNG or WebP file under 20 kB"
    )
    accent_color: str = Field(default="#3b5bdb", description="Buttons and links, as `#rrggbb`")
    support_email: str | None = Field(default=None, description="Where customers get help")
    terms_url: str | None = Field(default=None, description="Your terms, linked beside the button")
    default_currency: str = Field(default="USD", description="Currency chosen at first on the form")
    payment_method_policy: Literal["replace", "keep"] = Field(
        default="replace",
        description="Whether a newly saved method becomes the default; one chosen after that stays",
    )
    browser_days: int = Field(
        default=90,
        ge=1,
        le=400,
        description="Days after their last visit that customers are remembered in their own browser",
    )
    signup_subject_keys: Literal["optional", "required", "hidden"] = Field(
        default="optional",
        description="Whether the form asks for account or device names; left blank, the customer's id serves",
    )
    max_declines: int = Field(
        default=10,
        ge=0,
        description=(
            "Declined tries of a customer within a day after which its sessions close and an operator is "
            "told; 0: any number"
        ),
    )
    signup_decoy: bool = Field(
        default=True,
        description="Whether the form has a field that only programs see; who fills it in must try again",
    )
    signup_min_seconds: int = Field(
        default=2,
        ge=0,
        le=60,
        description=(
            "Seconds in which no person fills in the form; an address that was faster several times must try "
            "again; 0: no such time"
        ),
    )
    link_days: int = Field(default=30, ge=1, le=3650, description="Days that a new onboarding link works")
    rate_limit_signup: str = Field(default="60 per hour", description="Sign-ups for each client address")
    rate_limit_return: str = Field(
        default="120 per minute",
        description="Looks at the own state for each client address; each may ask Stripe",
    )
    rate_limit_login: str = Field(
        default="20 per minute; 200 per hour",
        description="Failed logins of operators for each client address",
    )
    rate_limit_signup_total: str = Field(
        default="1000 per hour", description="Sign-ups of everybody together; a flood stops there"
    )
    rate_limit_api: str = Field(default="6000 per minute", description="API requests for each token")
    rate_limit_bad_token: str = Field(
        default="60 per minute", description="API requests without a valid token for each client address"
    )
    rate_limit_storage: str = Field(
        default="memory://", description="Where limits are counted: `memory://` or `redis://…`"
    )
    trusted_proxies: int = Field(
        default=0, ge=0, le=10, description="How many proxies in front set `X-Forwarded-For`"
    )
    web_processes: int = Field(default=1, ge=1, le=64, description="Web server processes")
    web_threads: int = Field(default=16, ge=1, le=256, description="Threads in each web process")
    worker_threads: int = Field(
        default=1, ge=0, le=16, description="Worker threads in each web process; 0 when `gangway worker` runs"
    )
    pull_interval: int = Field(
        default=120,
        ge=5,
        le=86400,
        description="Seconds until an unfinished customer is looked up at Stripe unasked",
    )
    webhooks: Literal["auto", "off"] = Field(
        default="auto",
        description=(
            "`off`: Stripe's event list is read each pull interval instead; so it is by itself when the "
            "public URL is one that Stripe can't reach"
        ),
    )
    backfill_interval: int = Field(
        default=900,
        ge=10,
        le=86400,
        description="Seconds between looks into Stripe's event list for events that no webhook brought",
    )
    backfill_overlap: int = Field(
        default=600,
        ge=0,
        le=86400,
        description="Seconds by which each look goes back behind the last one",
    )
    verify_days: int = Field(
        default=7,
        ge=1,
        le=365,
        description="Days after which a customer of whom nothing was heard is compared with Stripe",
    )
    most_tries: int = Field(
        default=15,
        ge=1,
        le=100,
        description="Failed tries after which a customer's events are left to an operator",
    )
    stripe_rate: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description=(
            "Calls per second that all workers together make for one account; unset: 20 to Stripe, any "
            "number to a simulator"
        ),
    )
    operator_idle_minutes: int = Field(
        default=60, ge=5, le=1440, description="Minutes after which an idle operator must log in again"
    )
    operator_session_hours: int = Field(
        default=12, ge=1, le=24, description="Hours after which every operator must log in again"
    )
    operator_require_totp: bool = Field(
        default=False, description="Whether every operator must set up a second factor"
    )
    keep_payloads_days: int = Field(
        default=90,
        ge=1,
        le=3650,
        description="Days after which what a finished event said is forgotten; that it came is kept",
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        description=(
            "Bearer token for `/metrics`; without one only this machine may read them, and nobody when the "
            "public URL is not on loopback"
        ),
    )
    backlog_minutes: int = Field(
        default=15,
        ge=1,
        le=1440,
        description="Minutes after which `/metrics` counts an event as backlog",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="`DEBUG`, `INFO`, `WARNING` or `ERROR`"
    )
    log_format: Literal["json", "console"] = Field(default="json", description="`json` or `console`")

    @field_validator("secret_key", "encryption_keys", "checkout_origins", "redirect_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @field_validator("secret_key")
    @classmethod
    def _strong_secrets(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if not value or any(len(key.get_secret_value()) < 32 for key in value):
            raise ValueError("must be 32 random characters or more")
        if any(key_strength.is_guessable(key.get_secret_value()) for key in value):
            raise ValueError("can be guessed: take a random one, made by `gangway key`")
        return value

    @field_validator("metrics_token")
    @classmethod
    def _long_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        if len(value.get_secret_value()) < 16:
            raise ValueError("must be 16 random characters or more")
        return value

    @field_validator("encryption_keys")
    @classmethod
    def _fernet_keys(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if not value:
            raise ValueError("must hold at least one key")
        for key in value:
            try:
                Fernet(key.get_secret_value())
            except ValueError as error:
                raise ValueError("must be Fernet keys, made by `gangway key`") from error
        if any(key_strength.is_guessable(key.get_secret_value()) for key in value):
            raise ValueError("can be guessed: take a random one, made by `gangway key`")
        return value

    @field_validator("public_url", "stripe_api_base")
    @classmethod
    def _origin(cls, value: str) -> str:
        return checked_origin(value)

    @field_validator("checkout_origins", "redirect_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(checked_origin(origin) for origin in value)

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        try:
            driver = sa.make_url(value).drivername
        except sa.exc.ArgumentError:
            driver = ""
        if driver not in {"sqlite", "postgresql+psycopg"}:
            raise ValueError("must begin with sqlite:/// or postgresql+psycopg://")
        if driver != "sqlite":
            _require("psycopg", "postgres")
        return value

    @field_validator("accent_color")
    @classmethod
    def _colour(cls, value: str) -> str:
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
            raise ValueError("must be a colour such as #3b5bdb")
        return value.lower()

    @field_validator("support_email")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value:
            try:
                validate_email(value, check_deliverability=False)
            except EmailNotValidError as error:
                raise ValueError("must be an email address") from error
        return value or None

    @field_validator("terms_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"https?://[^/\s]+(/\S*)?", value):
            raise ValueError("must be a URL that begins with https://")
        return value or None

    @field_validator("default_currency")
    @classmethod
    def _offered(cls, value: str) -> str:
        if value.upper() not in currencies.CODES:
            raise ValueError("must be the code of a currency that Stripe knows, such as USD")
        return value.upper()

    @field_validator(
        "rate_limit_signup",
        "rate_limit_signup_total",
        "rate_limit_return",
        "rate_limit_login",
        "rate_limit_api",
        "rate_limit_bad_token",
    )
    @classmethod
    def _budget(cls, value: str) -> str:
        try:
            useless = any(limit.amount == 0 for limit in parse_many(value))
        except ValueError:
            useless = True
        if useless:
            raise ValueError("must read like `60 per hour` or `10 per minute; 100 per day`")
        return value

    @field_validator("rate_limit_storage")
    @classmethod
    def _known_storage(cls, value: str) -> str:
        if not value.startswith(("memory://", "redis://", "rediss://")):
            raise ValueError("must begin with memory:// or redis://")
        if value.startswith("redis"):
            _require("redis", "redis")
        return value

    @field_validator("logo_file")
    @classmethod
    def _logo(cls, value: Path | None) -> Path | None:
        if value is None or not str(value).strip("."):
            return None
        if value.suffix.lower() not in {".svg", ".png", ".webp"} or not value.is_file():
            raise ValueError("must name an existing SVG, PNG or WebP file")
        if value.stat().st_size > 20_000:
            raise ValueError("must be under 20 kB, so that pages stay light")
        return value

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
        """Is the portal reached over https?"""
        return self.public_url.startswith("https://")

    @property
    def is_simulated(self) -> bool:
        """Does a simulator stand in for Stripe?"""
        return self.stripe_api_base != STRIPE_API_BASE

    @property
    def is_pulling(self) -> bool:
        """Does Stripe send no events, so that its list of them is the only source?"""
        return self.webhooks == "off" or not (self.is_simulated or is_public(self.public_url))

    @property
    def calls_per_second(self) -> int | None:
        """The budget of the workers for each account; None is without end."""
        return self.stripe_rate or (None if self.is_simulated else STRIPE_RATE)

    @property
    def signing_keys(self) -> list[str]:
        """The secret keys in the order that itsdangerous wants: the last one signs, all verify."""
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
    """Can a stranger on the internet, such as Stripe, be expected to reach this URL over https?

    Told by its name alone: no port is knocked at.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        reachable = ip_address(host).is_global
    except ValueError:
        reachable = "." in host and host.rsplit(".", 1)[-1] not in PRIVATE_DOMAINS
    return parts.scheme == "https" and reachable


def _require(module: str, extra: str) -> None:
    if find_spec(module) is None:
        raise ValueError(f"needs more packages: `pip install '{DISTRIBUTION}[{extra}]'`")


def _sentences(error: ValidationError) -> list[str]:
    """Say of each bad setting what to set; never what was set, which may be a secret."""
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
    """The settings of the current application."""
    found = current_app.extensions["gangway.settings"]
    assert isinstance(found, Settings)
    return found
