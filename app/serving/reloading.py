"""Restart a command when a file of the product changes, with Werkzeug's reloader."""

from collections.abc import Callable, Iterable
from pathlib import Path

# Private, because Werkzeug's public way in also opens the port; a test of the demo tells when it changes.
from werkzeug._reloader import run_with_reloader
from werkzeug.serving import is_running_from_reloader

__all__ = ["is_running_from_reloader", "run_until_change", "start_again_on_change"]


def start_again_on_change() -> None:
    """Run this command in another process, and run it again each time that it ends because of a change.

    Returns after Ctrl-C. Otherwise it raises SystemExit with the exit code of the command.
    """
    run_with_reloader(lambda: None, reloader_type="stat")


def run_until_change(announce: Callable[[], None], folders: Iterable[Path]) -> None:
    """Watch the modules of the product, and all files in these folders. Calls `announce` once it watches.

    Returns after Ctrl-C. Raises SystemExit after a change, so the caller's context managers clean up.
    """
    watched = [str(path) for folder in folders for path in folder.rglob("*") if path.is_file()]
    # Python writes bytecode whenever a module is imported for the first time: that is no change.
    run_with_reloader(announce, extra_files=watched, exclude_patterns=["*.pyc"], reloader_type="stat")
