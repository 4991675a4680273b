"""Databases, copies and folders are their owner's alone, whatever the umask."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import create_app, migrations
from app.core import db, files
from app.simulator import Simulator
from tests.conftest import make_settings


@pytest.fixture(params=[0o000, 0o022, 0o777], ids=oct)
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    """The permissions of a file or folder."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("_umask")
def test_a_database_and_its_side_files(tmp_path: Path) -> None:
    app = create_app(make_settings(database_url=f"sqlite:///{tmp_path / 'x.db'}"))
    with app.app_context():
        migrations.upgrade()
        modes = {path.name: mode(path) for path in tmp_path.iterdir()}
        db.engine().dispose()

    assert modes["x.db"] == 0o600
    assert set(modes.values()) == {0o600}


@pytest.mark.usefixtures("_umask")
def test_the_simulators_store(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "stripe.db"

    Simulator(path, public_url="http://127.0.0.1:1").close()

    assert [mode(one) for one in (path, path.parent, path.parent.parent)] == [0o600, 0o700, 0o700]


@pytest.mark.usefixtures("_umask")
def test_folders_and_those_above_them(tmp_path: Path) -> None:
    files.make_folder(tmp_path / "a" / "b")

    assert (mode(tmp_path / "a"), mode(tmp_path / "a" / "b")) == (0o700, 0o700)


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")

    with pytest.raises(FileExistsError):
        files.create(tmp_path / "link")

    assert not (tmp_path / "nowhere").exists()


def test_a_folder_of_ours_is_closed_to_others(tmp_path: Path) -> None:
    (tmp_path / "instance").mkdir(mode=0o755)

    files.close_to_others(tmp_path / "instance")

    assert not files.is_open_to_others(tmp_path / "instance")
