"""The `gangway` command, one file for each of its own commands."""
