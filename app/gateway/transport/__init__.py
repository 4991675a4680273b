"""How requests reach Stripe: deadlines, metrics, or a Stripe in this process."""
