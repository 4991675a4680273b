"""An app's webhook endpoint at Stripe: registered, received from, and its secret rolled."""
