"""The sections of a profile: one module with a form for each."""
