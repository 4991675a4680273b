"""What happens at Stripe and after it: Checkout, the way back, embedding, and the billing page."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator

from app.core.addresses import checked_origin, has_host
from app.portal.sections.kinds import Label, Section, WebUrl, is_stored
from app.web.addresses.redirects import check_safe_url


def _return_host(value: str, info: ValidationInfo) -> str:
    if not (is_stored(info) or has_host(f"https://{value}")):
        raise ValueError("Enter names of hosts such as app.example.com.")
    return value


# A name without scheme and path, perhaps with a port
ReturnHost = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?$", max_length=253),
    AfterValidator(_return_host),
]
MAX_ORIGINS = 50  # in one header, which proxies take up to about 4 kB
Origin = Annotated[str, StringConstraints(max_length=300)]
PaymentMethodPolicy = Literal["replace", "keep", "ask"]


class CheckoutOptions(Section):
    """Options of Stripe's hosted page. None leaves one to Stripe."""

    billing_address_collection: Literal["auto", "required"] | None = None
    tax_id_collection: bool = False
    phone_number_collection: bool = False
    allowed_payment_method_types: tuple[str, ...] = ()  # empty: those of the Stripe Dashboard
    consent_collection: bool = False


class AfterSaving(Section):
    """Where customers go once they have saved a payment method."""

    return_url: WebUrl | None = None
    label: dict[str, Label] = Field(default_factory=dict)  # by language
    redirect_seconds: Annotated[int, Field(ge=3, le=60)] | None = None  # None: only the button
    is_signed: bool = False  # with the oldest hand-over secret in use
    allowed_return_hosts: tuple[ReturnHost, ...] = ()  # of links and hand-overs; empty: any

    @field_validator("return_url")
    @classmethod
    def _safe(cls, value: str | None, info: ValidationInfo) -> str | None:
        # A stored one is judged when somebody is to go there.
        return value if is_stored(info) or not value else check_safe_url(value)

    @field_validator("allowed_return_hosts", mode="before")
    @classmethod
    def _in_lower_case(cls, value: Any) -> Any:
        return [str(host).strip().lower() for host in value] if isinstance(value, list | tuple) else value


class BillingPolicy(Section):
    """What customers may do on their billing page."""

    may_remove_last: bool = False
    codes: bool = True  # a code by email lets the stored address in, where this installation sends email


def checked_origins(value: tuple[str, ...], *, is_stored: bool) -> tuple[str, ...]:
    """Return origins as browsers name them. Raises ValueError for one that is none, and for too many.

    A stored one that is none is left out: no site is there that could embed the pages.
    """
    if len(value) > MAX_ORIGINS and not is_stored:
        raise ValueError(f"Enter {MAX_ORIGINS} sites or fewer: each page names all of them in a header.")
    found = []
    for origin in value:
        try:
            found.append(checked_origin(origin))
        except ValueError as error:
            if not is_stored:
                raise ValueError(f"{origin} {error}.") from error
    return tuple(dict.fromkeys(found))
