"""How many requests each visitor and each program may make."""

from limits import parse_many
from pydantic import Field, field_validator

from app.core.config.packages import require_package
from app.core.config.subject import SubjectSettings


class LimitSettings(SubjectSettings):
    """How many requests each visitor and each program may make."""

    rate_limit_signup: str = Field(default="60 per hour", description="Sign-ups for each client address")
    rate_limit_return: str = Field(
        default="120 per minute",
        description="Requests for a customer's own pages for each client address; each may ask Stripe",
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
            require_package("redis", "redis")
        return value
