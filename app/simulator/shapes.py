"""The one shape that everything here has."""

from typing import Any

JSON = dict[str, Any]  # an object of Stripe's, or a part of one, as json.loads gives it
