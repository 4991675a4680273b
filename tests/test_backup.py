"""`gangway backup`, and what a restored copy is worth."""

import shutil
import stat
import threading
from pathlib import Path

import pytest
import time_machine
from click.testing import CliRunner, Result
from flask import Flask

from app import create_app, migrations, sync
from app.cli import main
from app.core import db
from app.customers import Customer
from app.payers import PaymentStatus
from app.simulator import Simulator
from tests.conftest import KEY, SECRET_KEY, make_settings
from tests.support.people import Person
from tests.support.processes import PATIENCE
from tests.support.world import World
from tests.support.world_fixtures import clock, person, world

__all__ = ["clock", "person", "world"]


@pytest.fixture(autouse=True)
def _sqlite_alone(database_url: str, request: pytest.FixtureRequest) -> None:
    if not database_url.startswith("sqlite") and "postgresql" not in request.node.name:
        pytest.skip("PostgreSQL has its own tool")


def backup(monkeypatch: pytest.MonkeyPatch, database_url: str, target: Path) -> Result:
    """Run the command."""
    monkeypatch.setenv("GANGWAY_DATABASE_URL", database_url)
    monkeypatch.setenv("GANGWAY_SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("GANGWAY_ENCRYPTION_KEYS", KEY)
    return CliRunner().invoke(main, ["backup", str(target)])


def names(path: Path) -> set[str]:
    """The customers in a copy."""
    app = create_app(make_settings(database_url=f"sqlite:///{path}"))
    with app.app_context():
        found = {customer.name for customer in db.session().query(Customer)}
        db.session().close()
        db.engine().dispose()
    return found


def test_copies_everything_into_a_file_for_its_owner_alone(
    app: Flask, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        db.session().add(Customer(name="Ada"))
        db.session().commit()

    answer = backup(monkeypatch, database_url, tmp_path / "copy.db")

    assert answer.exit_code == 0, answer.output
    assert str(tmp_path / "copy.db") in answer.output
    assert names(tmp_path / "copy.db") == {"Ada"}
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    assert not list(tmp_path.glob("*.part"))


def test_holds_nobody_up_and_sees_one_moment(
    app: Flask, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied, written = threading.Event(), threading.Event()

    def write() -> None:
        number = 0
        while not copied.is_set():
            with app.app_context():  # two at a time: a copy that has one has both
                db.start_write(db.session())
                db.session().add_all([Customer(name=f"a{number}"), Customer(name=f"b{number}")])
                db.session().commit()
            number += 1
            written.set()

    writer = threading.Thread(target=write)
    writer.start()
    written.wait(PATIENCE)
    answers = [backup(monkeypatch, database_url, tmp_path / f"{number}.db") for number in range(3)]
    copied.set()
    writer.join()

    assert [answer.exit_code for answer in answers] == [0, 0, 0]
    for number in range(3):
        found = names(tmp_path / f"{number}.db")
        assert {name[1:] for name in found if name[0] == "a"} == {
            name[1:] for name in found if name[0] == "b"
        }
        assert found


def test_of_a_broken_database_is_none(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is to find out when it is needed."""
    with Path(database_url.removeprefix("sqlite:///")).open("r+b") as file:
        file.seek(36)  # how many pages are free: https://sqlite.org/fileformat.html
        file.write((7).to_bytes(4))

    answer = backup(monkeypatch, database_url, tmp_path / "copy.db")

    assert answer.exit_code == 1
    assert "The database is damaged, and no copy was made" in answer.output
    assert not list(tmp_path.glob("copy*"))


@pytest.mark.parametrize("is_there", [True, False])
def test_of_nothing_is_none(*, is_there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistyped file name must not give a backup that holds nothing."""
    empty, target = tmp_path / "empty.db", tmp_path / "copy.db"
    if is_there:
        empty.touch()

    answer = backup(monkeypatch, f"sqlite:///{empty}", target)

    assert answer.exit_code == 1
    assert ("has no tables" if is_there else f"There is no database {empty}") in answer.output
    assert empty.exists() == is_there
    assert not target.exists()


def test_writes_over_no_file(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").write_text("precious")

    answer = backup(monkeypatch, database_url, tmp_path / "mine")

    assert answer.exit_code == 1
    assert "already exists. Name a new file." in answer.output
    assert (tmp_path / "mine").read_text() == "precious"


def test_follows_no_link_and_leaves_nothing_half_done(
    app: Flask, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "copy.db.part").symlink_to(victim)
    (tmp_path / "dangling.db").symlink_to(tmp_path / "nowhere")

    first, second = (
        backup(monkeypatch, database_url, tmp_path / name) for name in ("copy.db", "dangling.db")
    )

    assert (first.exit_code, second.exit_code) == (0, 1)
    assert victim.read_text() == "precious"
    assert not (tmp_path / "nowhere").exists()
    assert [path.name for path in tmp_path.glob("*.part")] == ["copy.db.part"]


def test_takes_a_name_that_looks_like_an_address_as_a_name(
    app: Flask, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    answer = backup(monkeypatch, database_url, Path("file:copy.db"))

    assert answer.exit_code == 0, answer.output
    assert (tmp_path / "file:copy.db").read_bytes().startswith(b"SQLite format 3")
    assert not (tmp_path / "copy.db").exists()
    assert not list(tmp_path.glob("*.part"))


def test_says_when_there_is_no_such_folder(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = backup(monkeypatch, database_url, tmp_path / "nowhere" / "copy.db")

    assert answer.exit_code == 1
    assert "can't be written: No such file or directory." in answer.output


def test_of_postgresql_names_the_tool_and_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "postgresql+psycopg://ada:secret@db.example.com:5432/gangway"

    answer = backup(monkeypatch, url, tmp_path / "copy.dump")

    assert answer.exit_code == 1
    assert "pg_dump --format=custom" in answer.output
    assert "postgresql://ada:***@db.example.com:5432/gangway" in answer.output
    assert "secret" not in answer.output


def test_a_restored_copy_catches_up_with_stripe(
    world: World,
    person: Person,
    simulator: Simulator,
    database_url: str,
    tmp_path: Path,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person.save_card()
    world.settle()
    with world.app.app_context():
        sync.run_maintenance(db.session())
    assert backup(monkeypatch, database_url, tmp_path / "copy.db").exit_code == 0
    clock.shift(3600)
    simulator.detach_payment_method(str(person.stripe_default))
    world.settle()
    assert person.status == PaymentStatus.REMOVED

    # On a new machine, with the settings of the old one.
    shutil.copy(tmp_path / "copy.db", tmp_path / "restored.db")
    settings = make_settings(database_url=f"sqlite:///{tmp_path / 'restored.db'}")
    restored = create_app(settings, stripe_in_process=simulator.wsgi)
    theirs = Person(restored, simulator, restored.test_client(), session_ids=[person.session_id])
    before = theirs.status
    with restored.app_context():
        migrations.upgrade()
        while sync.run_maintenance(db.session()):
            pass
        sync.run_until_idle()

    assert before == PaymentStatus.SAVED
    assert theirs.status == PaymentStatus.REMOVED
    with restored.app_context():
        db.engine().dispose()
