"""Optional packages that a setting needs."""

from importlib.util import find_spec

from app.core.version import DISTRIBUTION


def require_package(module: str, extra: str) -> None:
    """Raise ValueError, with the command that installs it, when a package is missing."""
    if find_spec(module) is None:
        raise ValueError(f"needs more packages: `pip install '{DISTRIBUTION}[{extra}]'`")
