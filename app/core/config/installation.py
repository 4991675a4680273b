"""Where the portal runs: its address, keys and database, and what it connects to."""

import base64
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import Field, SecretStr, field_validator

from app.core.addresses import checked_origin
from app.core.config.packages import require_package
from app.core.config.subject import SubjectSettings
from app.core.environment import default_data_folder
from app.core.secrets import key_strength

Listed = tuple[str, ...]  # comma-separated
FERNET_KEY_BYTES = 32
DATABASE_NAME = "gangway.db"
STRIPE_API_BASE = "https://api.stripe.com"


def _default_database(earlier: dict[str, Any]) -> str:
    return f"sqlite:///{Path(earlier['data_dir']) / DATABASE_NAME}"


def _is_fernet_key(text: str) -> bool:
    """Ask what Fernet asks, without importing it: a start opens no secret."""
    try:
        return len(base64.urlsafe_b64decode(text)) == FERNET_KEY_BYTES
    except ValueError:
        return False


class InstallationSettings(SubjectSettings):
    """Where the portal runs: its address, keys and database, and what it connects to."""

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

    @field_validator("encryption_keys")
    @classmethod
    def _fernet_keys(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if not value:
            raise ValueError("must hold at least one key")
        for key in value:
            if not _is_fernet_key(key.get_secret_value()):
                raise ValueError("must be Fernet keys, made by `gangway key`")
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
            require_package("psycopg", "postgres")
        return value
