"""The first hour of an installation, and the care of its settings and keys."""
