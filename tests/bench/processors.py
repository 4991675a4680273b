"""How much processor time the parts of a machine use."""

import os
import resource
from collections.abc import Iterable
from pathlib import Path


def with_children(pids: Iterable[int]) -> set[int]:
    """Return these processes and all that they have started."""
    found = set(pids)
    for pid in list(found):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        found |= with_children(int(child) for child in children)
    return found


def databases() -> set[int]:
    """Return the processes of every PostgreSQL server on this machine."""
    names = ((entry, entry / "comm") for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return {int(entry.name) for entry, name in names if _read(name).strip() == "postgres"}


def used(pids: Iterable[int]) -> float:
    """Return the seconds of processor time that these processes have used."""
    ticks = 0
    for pid in pids:
        fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def own_children() -> float:
    """Return the seconds of processor time that this process's children used until they ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has just ended
        return ""
