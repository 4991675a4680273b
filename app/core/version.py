"""The name and the version of this release."""

DISTRIBUTION = "gangway-portal"  # the name to install it by; the command is `gangway`
__version__ = "0.2.0"
