"""Files and folders that belong to their owner alone, whatever the umask."""

import errno
import os
import secrets
import stat
from pathlib import Path

OWNER_FILE = 0o600
OWNER_FOLDER = 0o700
OTHERS = 0o077


def create(path: Path) -> int:
    """Create a file that only its owner can read, and return it open for writing.

    Raises FileExistsError for anything of that name, even a broken link.
    """
    opened = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, OWNER_FILE)
    os.fchmod(opened, OWNER_FILE)  # the umask may have taken bits from the owner
    return opened


def read(path: Path, *, most: int) -> str:
    """Return the text of a file, up to one character more than `most`: a device may never end.

    A mark of the byte order is left out. Raises OSError, and ValueError for what is not UTF-8.
    """
    with path.open(encoding="utf-8-sig") as text:
        return text.read(most + 1)


def replace(path: Path, text: str) -> None:
    """Write a text into a file that only its owner can read, in place of the one that is there.

    Writes it whole or not at all. Raises OSError, also when a folder, a link or a device is there.
    """
    if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
        raise OSError(errno.EEXIST, "something is there that is not a file", str(path))
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    opened = create(unfinished)
    try:
        with open(opened, "w", encoding="utf-8") as file:  # noqa: PTH123 (a descriptor, not a path)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        error.filename = error.filename or str(path)  # writing to a descriptor names no file
        raise
    finally:
        unfinished.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, for its owner alone. Leave folders that exist as they are."""
    if path.is_dir():
        return
    if os.path.lexists(path):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    make_folder(path.parent)
    path.mkdir(OWNER_FOLDER, exist_ok=True)
    path.chmod(OWNER_FOLDER)


def close_to_others(path: Path) -> None:
    """Take away what others may do with a file or folder, if this user owns it."""
    state = path.stat()
    if state.st_mode & OTHERS and state.st_uid == os.geteuid():
        path.chmod(stat.S_IMODE(state.st_mode) & ~OTHERS)


def is_open_to_others(path: Path) -> bool:
    """Can anyone but the owner read, change or enter this? False when it is not there."""
    try:
        return bool(path.stat(follow_symlinks=False).st_mode & OTHERS) and not path.is_symlink()
    except OSError:
        return False
