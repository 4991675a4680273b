"""The controls: fault settings, and what people do in Stripe's Dashboard."""
