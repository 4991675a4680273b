"""One convergence, step by step: ask Stripe about a payer, decide, store."""
