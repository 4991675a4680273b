"""What Stripe says about a payer, and how a step says that it still works."""

from collections.abc import Callable
from dataclasses import dataclass, field

from app.gateway import Mandate, Method, StripeCustomer, StripeSession

# Call it before each call of Stripe. It raises when another worker has taken over.
Heartbeat = Callable[[], None]


@dataclass
class StripeState:
    """What Stripe said about one payer."""

    customer: StripeCustomer
    sessions: dict[str, StripeSession | None] = field(default_factory=dict)  # None: it is gone
    shown: list[Method] = field(default_factory=list)  # methods that came with the sessions and the customer
    methods: list[Method] | None = None  # all attached methods, if we asked for them
    mandates: list[Mandate] = field(default_factory=list)
    policy_method_id: str | None = None  # the method that our policy made, or found to be, the default
    is_blocked: bool = False  # too many attempts were declined, and the open sessions are closed
    contact_refusal: str | None = None  # why Stripe refuses our name, email or tax id
    is_tax_id_sent: bool = False

    @property
    def all_methods(self) -> list[Method]:
        """Every method that Stripe named."""
        default = [self.customer.default_method] if self.customer.default_method else []
        return [*self.shown, *default, *(self.methods or [])]
