"""Coming back from Stripe: the true status, and the way back to the company's app."""
