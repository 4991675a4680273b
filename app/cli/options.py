"""`--env-file` and `--data`, which every command has: where its settings and its data are."""

from collections.abc import Callable
from pathlib import Path

import click

from app.core.environment import Sources, env_file_path, find_sources

ENV_FILE = "gangway.env_file"
DATA = "gangway.data"


def add_place_options(command: click.Command) -> None:
    """Give both options to a command and to all below it, except where it has one of that name."""
    if isinstance(command, click.Group):
        for subcommand in command.commands.values():
            add_place_options(subcommand)
    taken = {parameter.name for parameter in command.params}
    if "data" in taken:  # the demo and the simulator have their own option for files
        return
    command.params += [
        click.Option(
            ["--env-file"],
            type=click.Path(path_type=Path, dir_okay=False),
            expose_value=False,
            is_eager=True,
            callback=_note(ENV_FILE),
            help="Read settings from this file.  [default: gangway.env in the data folder]",
        ),
        click.Option(
            ["--data"],
            type=click.Path(path_type=Path, file_okay=False),
            expose_value=False,
            is_eager=True,
            callback=_note(DATA),
            help="Use this data folder, such as a demo's.",
        ),
    ]


def chosen_sources() -> Sources:
    """Return what the options and the environment say. Raises SettingsRefused."""
    env_file, data_folder = chosen_places()
    return find_sources(env_file=env_file, data_folder=data_folder)


def chosen_places() -> tuple[Path | None, Path | None]:
    """Return the env file and the data folder that the options name."""
    meta = click.get_current_context().meta
    return meta.get(ENV_FILE), meta.get(DATA)


def chosen_env_file() -> Path:
    """Return where the env file is, or would be."""
    env_file, data_folder = chosen_places()
    return env_file_path(env_file=env_file, data_folder=data_folder)


def _note(key: str) -> Callable[[click.Context, click.Parameter, Path | None], None]:
    def note(context: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
        if value is not None:
            context.meta[key] = value

    return note
