"""The `gangway` command, one file for each subcommand."""
