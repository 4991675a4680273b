"""Import the application without what its libraries import and nothing here uses.

Each part is optional to the library that imports it: a nicer traceback, another HTTP client, another storage.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

OPTIONAL = ("rich", "httpx", "anyio", "aiohttp")  # the libraries ask whether these are installed
PLACEHOLDERS = ("limits.aio",)  # imported by its package, and used by nobody


@contextmanager
def lean_imports() -> Iterator[None]:
    """Import without these parts. Afterwards anybody can import them as usual.

    The garbage collector never looks at what exists by then: a collection would look through all of it.
    """
    hidden: dict[str, ModuleType | None] = dict.fromkeys(OPTIONAL)
    hidden |= {name: ModuleType(name) for name in PLACEHOLDERS}
    hidden = {name: instead for name, instead in hidden.items() if name not in sys.modules}
    sys.modules.update(hidden)  # type: ignore[arg-type]  # None means: not installed
    was_collecting = gc.isenabled()
    gc.disable()  # what is imported stays, so that there is nothing to find
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
        if was_collecting:
            gc.freeze()
            gc.enable()
