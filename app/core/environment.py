"""Where settings come from: the environment, the env file, and files that hold one value each."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

from app.core import files
from app.core.values import frozen
from app.core.version import DISTRIBUTION

PREFIX = "GANGWAY_"
ENV_FILE_NAME = "gangway.env"
DEMO_FILE_NAME = "demo.env"  # all settings of a demo, in its folder
ENV_FILE = "GANGWAY_ENV_FILE"
DATA_DIR = "GANGWAY_DATA_DIR"
OWN_NAMES = (ENV_FILE, "GANGWAY_TEST_POSTGRES")  # read elsewhere; no settings
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
MIN_SIMILARITY = 0.6  # from this likeness on, an unknown name is a setting misspelt
MIN_CERTAINTY = 0.9
MAX_VALUE_LENGTH = 64 * 1024  # characters
MAX_ENV_FILE = 1_000_000  # characters
DOUBLE_QUOTED = re.compile(r'^\s*(?:export\s+)?\w+\s*=\s*"(?:\\.|[^"\\])*"', re.MULTILINE | re.DOTALL)
ESCAPE = re.compile(r"\\(.)", re.DOTALL)

CODE = Path(__file__).resolve().parent.parent


class SettingsRefused(Exception):
    """Settings that make no sense; the text has one sentence for each."""


@frozen
class Sources:
    """The variables in use, and where they came from. Names are in upper case."""

    data_folder: Path
    chosen_by: str  # what chose the data folder
    env_file: Path | None
    variables: Mapping[str, str]

    def values(self, fields: Iterable[str]) -> dict[str, str]:
        """Return the value of each field that is set. Raises SettingsRefused for an unreadable file."""
        found = {name: _value(self.variables, f"{PREFIX}{name.upper()}") for name in fields}
        return {name: value for name, value in found.items() if value is not None}

    def misspelt(self, fields: Iterable[str]) -> list[str]:
        """Return a sentence for each variable that looks like a setting but is not one."""
        from difflib import get_close_matches  # noqa: PLC0415

        settings = [f"{PREFIX}{name.upper()}" for name in fields]
        known = {*settings, *(f"{name}_FILE" for name in settings), *OWN_NAMES}
        sentences = []
        for name in sorted(set(self.variables) - known):
            is_ours = name.startswith(PREFIX)
            similar = get_close_matches(name, sorted(known), 1, MIN_SIMILARITY if is_ours else MIN_CERTAINTY)
            if similar:
                sentences.append(f"{name} is not a setting: did you mean {similar[0]}?")
            elif is_ours:
                sentences.append(f"{name} is not a setting: nothing reads it.")
        return sentences


def find_sources(
    *,
    env_file: Path | None = None,
    data_folder: Path | None = None,
    without_file: bool = False,
    without_variables: bool = False,
) -> Sources:
    """Read the env file, then the environment, which wins. Raises SettingsRefused.

    Both the file and the data folder may be named by the caller, else by the environment. Without a name,
    the env file is the one in the data folder, if there is one. The folder of a demo that the caller names
    has all its settings with it: then the environment does not count. Either kind of source may be left out,
    to find out what there would be without it.
    """
    if data_folder and env_file is None and (demo := data_folder / DEMO_FILE_NAME).is_file():
        return Sources(data_folder.absolute(), "--data", demo, _read_env_file(demo))
    environment = {name.upper(): value for name, value in os.environ.items()}
    if without_variables:
        environment = {name: value for name, value in environment.items() if not name.startswith(PREFIX)}
        return _merge({}, environment, None, data_folder)
    named = env_file_path(env_file=env_file, data_folder=data_folder)
    if without_file or not (env_file or environment.get(ENV_FILE) or _is_there(named)):
        return _merge({}, environment, None, data_folder)
    return _merge(_read_env_file(named), environment, named, data_folder)


def env_file_path(*, env_file: Path | None = None, data_folder: Path | None = None) -> Path:
    """Return where the env file is, or would be."""
    named = env_file or _path(os.environ.get(ENV_FILE))
    return named.absolute() if named else _data_folder(os.environ, data_folder)[0] / ENV_FILE_NAME


def write_env_file(path: Path, values: Mapping[str, str], *, heading: str) -> None:
    """Write an env file that only its owner can read. Raises FileExistsError, or another OSError."""
    lines = [f"# {line}" for line in heading.splitlines()]
    lines += [f"{name}={_quoted(value)}" for name, value in values.items()]
    opened = files.create(path)
    try:
        with open(opened, "w", encoding="utf-8") as file:  # noqa: PTH123 (a descriptor, not a path)
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink()
        raise


def _quoted(value: str) -> str:
    """Write a value so that our reader, systemd and a shell read the same, and a shell expands nothing."""
    if re.fullmatch(r"[\w@%+=:,./-]*", value, re.ASCII):
        return value
    if "'" not in value and "\\\\" not in value and not value.endswith("\\"):
        return f"'{value}'"
    escaped = re.sub(r'["$`\\]', r"\\\g<0>", value)
    return f'"{escaped}"'


def _unescape_dollars(text: str) -> str:
    """Read an escaped `$` or backtick in double quotes as a shell does; dotenv keeps the backslash."""
    return DOUBLE_QUOTED.sub(lambda line: ESCAPE.sub(_unescape, line[0]), text)


def _unescape(escape: re.Match[str]) -> str:
    return escape[1] if escape[1] in {"$", "`"} else escape[0]


def _merge(
    in_file: dict[str, str], environment: dict[str, str], named: Path | None, data_folder: Path | None
) -> Sources:
    if named and in_file.get(DATA_DIR):
        in_file[DATA_DIR] = str(named.parent / Path(in_file[DATA_DIR]).expanduser())
    for name in environment:  # `X_FILE` in the environment beats `X` in the file
        in_file.pop(name.removesuffix("_FILE"), None)
        in_file.pop(f"{name}_FILE", None)
    variables = in_file | environment
    folder, chosen_by = _data_folder(variables, data_folder)
    return Sources(folder, chosen_by, named, variables | {DATA_DIR: str(folder)})


def default_data_folder() -> Path:
    """Return the data folder of this environment alone."""
    return _data_folder(os.environ, None)[0]


def is_checkout() -> bool:
    """Does this code run from a checkout, and not from an installed package?"""
    import tomllib  # noqa: PLC0415

    try:
        project = tomllib.loads((CODE.parent / "pyproject.toml").read_text()).get("project", {})
    except (OSError, ValueError):
        return False
    return bool(project.get("name") == DISTRIBUTION)


def _data_folder(variables: Mapping[str, str], chosen: Path | None) -> tuple[Path, str]:
    if chosen is not None:
        return chosen.expanduser().absolute(), "--data"
    if named := _path(variables.get(DATA_DIR)):
        return named, DATA_DIR
    if is_checkout():
        return CODE.parent / "instance", "the checkout"
    state = Path(variables.get("XDG_STATE_HOME", ""))
    if state.is_absolute():  # the specification says to ignore a relative one
        return state / "gangway", "XDG_STATE_HOME"
    try:
        return Path.home() / ".local" / "state" / "gangway", "the home folder"
    except RuntimeError as error:
        raise SettingsRefused(f"{DATA_DIR} is missing: set it. This user has no home folder.") from error


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser().absolute() if text and text.strip() else None


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # in a folder that this user may not enter
        return True


def _read_env_file(path: Path) -> dict[str, str]:
    from dotenv import dotenv_values  # noqa: PLC0415

    try:
        text = files.read(path, most=MAX_ENV_FILE)
    except OSError as error:
        raise SettingsRefused(f"The env file {path} can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise SettingsRefused(f"The env file {path} is not UTF-8 text.") from error
    if len(text) > MAX_ENV_FILE:
        raise SettingsRefused(f"The env file {path} is longer than {MAX_ENV_FILE:,} characters.")
    # Values are taken as they stand: a password may contain `${`.
    found = dotenv_values(stream=StringIO(_unescape_dollars(text)), interpolate=False)
    return {name.upper(): value for name, value in found.items() if value is not None}


def _value(variables: Mapping[str, str], name: str) -> str | None:
    """Return a setting's value, or what the file named by its `…_FILE` holds."""
    direct, file = variables.get(name), variables.get(f"{name}_FILE")
    if not file:
        return direct
    if direct:
        raise SettingsRefused(f"{name} and {name}_FILE are both set: keep one.")
    try:
        value = files.read(Path(file).expanduser(), most=MAX_VALUE_LENGTH).strip()
    except OSError as error:
        raise SettingsRefused(f"{name}_FILE names {file}, which can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise SettingsRefused(f"{name}_FILE names {file}, which is not UTF-8 text.") from error
    if len(value) > MAX_VALUE_LENGTH:
        raise SettingsRefused(
            f"{name}_FILE names {file}, which is longer than {MAX_VALUE_LENGTH:,} characters."
        )
    if "\0" in value:
        raise SettingsRefused(f"{name}_FILE names {file}, which is not text: it contains a NUL.")
    return value


def metrics_folder() -> Path | None:
    """Where several processes count together, if they do. The library wants it in this variable."""
    folder = os.environ.get(METRICS_FOLDER)
    return Path(folder) if folder else None


def share_metrics(folder: Path) -> None:
    """Have this process, and those that it forks, count together in a folder."""
    os.environ[METRICS_FOLDER] = str(folder)


@contextmanager
def named_time_zone() -> Iterator[None]:
    """Name a time zone to Babel, unless the environment names one.

    Babel asks for this machine's while it is imported. Pytz looks in 600 files for it, and nothing uses it.
    """
    is_named = "TZ" in os.environ
    os.environ.setdefault("TZ", "UTC")
    try:
        yield
    finally:
        if not is_named:
            del os.environ["TZ"]


def use_no_pydantic_plugins() -> None:
    """Keep pydantic from looking for plugins in the files of each installed package, now and later."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
