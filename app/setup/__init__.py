"""The first hour and the care of an installation: its env file, `check`, and its keys."""

from app.setup.options import add_place_options, chosen_sources

__all__ = ["add_place_options", "chosen_sources"]
