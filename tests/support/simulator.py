"""The types of what the fixtures of the simulator's tests give."""

from collections.abc import Callable
from typing import Any

import stripe

Connect = Callable[..., stripe.StripeClient]  # opens the official client with a key
Open = Callable[..., Any]  # opens a Checkout Session
Raw = Callable[..., Any]  # sends a request as it is
