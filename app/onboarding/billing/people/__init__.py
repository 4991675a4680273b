"""Who has access to a customer's billing page: invitations, and signing everybody out."""
