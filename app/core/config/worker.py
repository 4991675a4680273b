"""The processes, and how the worker keeps up with Stripe."""

from typing import Literal

from pydantic import Field

from app.core.config.subject import SubjectSettings


class WorkerSettings(SubjectSettings):
    """The processes, and how the worker keeps up with Stripe."""

    web_processes: int = Field(default=1, ge=1, le=64, description="Web server processes")
    web_threads: int = Field(default=16, ge=1, le=256, description="Threads in each web process")
    worker_threads: int = Field(
        default=1, ge=0, le=16, description="Worker threads in each web process; 0 when `gangway worker` runs"
    )
    pull_interval: int = Field(
        default=120,
        ge=5,
        le=86400,
        description="Seconds after which the worker checks an unfinished customer with Stripe",
    )
    webhooks: Literal["auto", "off"] = Field(
        default="auto",
        description=(
            "`off`: the worker reads Stripe's event list each pull interval instead; `auto`: it does so when "
            "Stripe can't reach the public URL"
        ),
    )
    backfill_interval: int = Field(
        default=900,
        ge=10,
        le=86400,
        description="Seconds between looks into Stripe's event list for events that no webhook delivered",
    )
    backfill_overlap: int = Field(
        default=600,
        ge=0,
        le=86400,
        description="Seconds that each look overlaps with the last",
    )
    verify_days: int = Field(
        default=7,
        ge=1,
        le=365,
        description="Days without news after which a customer is compared with Stripe",
    )
    max_attempts: int = Field(
        default=15,
        ge=1,
        le=100,
        description="Failed attempts after which a customer's events are left to an operator",
    )
    stripe_rate: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description=(
            "Calls per second that all workers together make for one account; unset: 20 to Stripe, no "
            "limit to a simulator"
        ),
    )
    keep_payloads_days: int = Field(
        default=90,
        ge=1,
        le=3650,
        description=(
            "Days after which the content of a finished event is deleted; the record that it came stays"
        ),
    )
