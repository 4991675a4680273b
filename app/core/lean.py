"""Import the application without what its libraries import and nothing here uses.

Each part is optional to the library that imports it: a nicer traceback, another HTTP client, another storage.
Others are needed later, or by few processes. These are imported when somebody uses them.
"""

import gc
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

from app.core.environment import named_time_zone, use_no_pydantic_plugins

OPTIONAL = ("rich", "httpx", "anyio", "aiohttp", "greenlet")  # the libraries ask whether these are installed
PLACEHOLDERS = ("limits.aio",)  # imported by its package, and used by nobody
# SQLAlchemy imports each driver that it knows for a database. These are not ours.
DRIVERS = (
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.postgresql.pg8000",
    "sqlalchemy.dialects.postgresql.psycopg2cffi",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "sqlalchemy.dialects.sqlite.pysqlcipher",
)
# Gunicorn's options are set in code, SQLAlchemy asks whether an error is one of asyncio's, and codes to scan
# are rare. The first process of a web server opens no secret and never calls Stripe. The debugger comes with
# Flask's test client.
LATE = ("argparse", "asyncio", "cryptography.fernet", "pdb", "segno", "stripe", *DRIVERS)


class LateModule(ModuleType):
    """Stands in for a module, and imports it when somebody asks for something in it."""

    def __getattr__(self, name: str) -> Any:
        if (self.__name__, name) == ("asyncio", "iscoroutine") and sys.modules.get(self.__name__) is self:
            return inspect.iscoroutine  # SQLAlchemy takes it while it is imported; both answer alike
        return getattr(_import_instead(self), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_import_instead(self), name, value)


def _import_instead(late: LateModule) -> ModuleType:
    if sys.modules.get(late.__name__) is late:
        del sys.modules[late.__name__]
    return import_module(late.__name__)


@contextmanager
def lean_imports() -> Iterator[None]:
    """Import without these parts. Afterwards anybody can import them as usual.

    The garbage collector never looks at what exists by then: a collection would look through all of it.
    """
    hidden: dict[str, ModuleType | None] = dict.fromkeys(OPTIONAL)
    hidden |= {name: ModuleType(name) for name in PLACEHOLDERS}
    hidden |= {name: LateModule(name) for name in LATE}
    hidden = {name: instead for name, instead in hidden.items() if name not in sys.modules}
    sys.modules.update(hidden)  # type: ignore[arg-type]  # None means: not installed
    use_no_pydantic_plugins()
    was_collecting = gc.isenabled()
    gc.disable()  # what is imported stays, so that there is nothing to find
    try:
        with named_time_zone():
            yield
    finally:
        for name, instead in hidden.items():
            if sys.modules[name] is instead:  # else it was imported after all
                del sys.modules[name]
        if was_collecting:
            gc.freeze()
            gc.enable()
