"""Operators' logins, metrics and logs."""

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from app.core.config.subject import SubjectSettings
from app.core.secrets import key_strength


class OperationSettings(SubjectSettings):
    """Operators' logins, metrics and logs."""

    operator_idle_minutes: int = Field(
        default=60, ge=5, le=1440, description="Minutes after which an idle operator must log in again"
    )
    operator_session_hours: int = Field(
        default=12, ge=1, le=24, description="Hours after which every operator must log in again"
    )
    operator_require_totp: bool = Field(
        default=False, description="Whether every operator must set up a second factor"
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

    @field_validator("metrics_token")
    @classmethod
    def _strong_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        if len(value.get_secret_value()) < 16:
            raise ValueError("must be 16 random characters or more")
        if key_strength.is_guessable(value.get_secret_value(), key_strength.TOKEN_GUESSES_LOG10):
            raise ValueError("can be guessed: take a random one, made by `gangway key`")
        return value
