"""`python -m app` is the `gangway` command."""

from app.cli import main

main(prog_name="gangway")
