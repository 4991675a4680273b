"""SetupIntents with their attempts and mandates."""
