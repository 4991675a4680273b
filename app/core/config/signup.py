"""How customers sign up and what happens to their payment methods."""

from typing import Literal

from pydantic import Field

from app.core.config.subject import SubjectSettings


class SignupSettings(SubjectSettings):
    """How customers sign up and what happens to their payment methods."""

    payment_method_policy: Literal["replace", "keep", "ask"] = Field(
        default="replace",
        description=(
            "Whether a newly saved method becomes the default: `replace`, `keep`, or `ask` the customer; one "
            "chosen after that stays"
        ),
    )
    browser_days: int = Field(
        default=90,
        ge=1,
        le=400,
        description="Days after their last visit that customers are remembered in their own browser",
    )
    signup_subject_keys: Literal["optional", "required", "hidden"] = Field(
        default="optional",
        description=(
            "Whether the form asks for account or device names; without one, the customer's id is used"
        ),
    )
    max_declines: int = Field(
        default=10,
        ge=0,
        description=(
            "Declined tries within a day after which a customer's sessions close and the console says so; "
            "0: no limit"
        ),
    )
    signup_decoy: bool = Field(
        default=True,
        description=(
            "Whether the form has a field that only programs see; a visitor who fills it in must try again"
        ),
    )
    signup_min_seconds: int = Field(
        default=2,
        ge=0,
        le=60,
        description=(
            "Seconds that a person needs at least to fill in the form; an address that was faster several "
            "times must try again; 0: no limit"
        ),
    )
    link_days: int = Field(default=30, ge=1, le=3650, description="Days that a new onboarding link works")
