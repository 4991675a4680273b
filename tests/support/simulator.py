"""Types of the fixtures in the simulator's tests."""

from collections.abc import Callable
from typing import Any

import stripe

Connect = Callable[..., stripe.StripeClient]  # opens the official client with a key
Open = Callable[..., Any]  # opens a Checkout Session
Raw = Callable[..., Any]  # sends a raw request
