"""Settings come from the environment, an env file, and files of one value; data lies outside the code."""

import subprocess
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from app.core import environment
from app.core.config import Settings, SettingsRefused
from app.core.environment import find_sources, write_env_file
from tests.conftest import KEY, SECRET_KEY
from tests.support.commands import run_command

ROOT = Path(environment.__file__).parents[2]
ODD_VALUES = [
    *("a b", "#3b5bdb", "it's", 'say "hi"', "back\\slash", "a\\\\b", "end\\", "ü — €", ""),
    *("$HOME ${HOME}", "it's $5", "it's $(id) `id`", "it's \\$5 \\\\$6", '"$HOME"', "a\\\\$HOME", "x='$y'"),
]
LEAST = {"GANGWAY_SECRET_KEY": SECRET_KEY, "GANGWAY_ENCRYPTION_KEYS": KEY}


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    """An env file with the least that is needed, and a name."""
    path = tmp_path / "portal.env"
    write_env_file(path, LEAST | {"GANGWAY_COMPANY_NAME": "From the file"}, heading="For a test")
    return path


class TestEnvFile:
    """`--env-file`, GANGWAY_ENV_FILE, or gangway.env in the data folder."""

    def test_is_named_by_the_environment(self, env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GANGWAY_ENV_FILE", str(env_file))

        assert Settings.load().company_name == "From the file"

    def test_is_found_in_the_data_folder(self, env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        env_file.rename(env_file.parent / "gangway.env")
        monkeypatch.setenv("GANGWAY_DATA_DIR", str(env_file.parent))

        assert Settings.load().company_name == "From the file"

    def test_gives_way_to_the_environment(self, env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GANGWAY_COMPANY_NAME", "From the environment")

        assert Settings.load(find_sources(env_file=env_file)).company_name == "From the environment"

    @pytest.mark.parametrize("command", ["check", "operator list", "db check", "serve", "worker", "backup x"])
    def test_that_is_not_there_is_named(self, command: str, tmp_path: Path) -> None:
        answer = run_command(*command.split(), "--env-file", str(tmp_path / "nowhere.env"))

        assert answer.exit_code == 1
        assert f"The env file {tmp_path / 'nowhere.env'} can't be read" in answer.output

    def test_that_is_no_text_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "odd.env").write_bytes(b"GANGWAY_COMPANY_NAME=\xff")

        answer = run_command("check", "--env-file", str(tmp_path / "odd.env"))

        assert answer.exit_code == 1
        assert f"The env file {tmp_path / 'odd.env'} is not UTF-8 text." in answer.output

    def test_that_never_ends_is_refused(self) -> None:
        answer = run_command("check", "--env-file", "/dev/zero")

        assert answer.exit_code == 1
        assert "The env file /dev/zero is longer than 1,000,000 characters." in answer.output

    @pytest.mark.parametrize("place", ["before", "after"])
    def test_may_be_named_before_and_after_the_command(self, place: str, env_file: Path) -> None:
        option, command = ["--env-file", str(env_file)], ["check"]

        answer = run_command(*(option + command if place == "before" else command + option))

        assert "GANGWAY_COMPANY_NAME=From the file\n" in answer.output

    @pytest.mark.parametrize("value", ODD_VALUES)
    def test_gives_back_what_was_written(self, value: str, tmp_path: Path) -> None:
        write_env_file(tmp_path / "x.env", LEAST | {"GANGWAY_TERMS": value}, heading="Two\nlines")

        assert find_sources(env_file=tmp_path / "x.env").variables["GANGWAY_TERMS"] == value

    @pytest.mark.process
    def test_means_the_same_to_a_shell(self, tmp_path: Path) -> None:
        names = [f"V{number}" for number in range(len(ODD_VALUES))]
        write_env_file(tmp_path / "x.env", dict(zip(names, ODD_VALUES, strict=True)), heading="For a shell")
        script = ". ./x.env; " + "; ".join(f'printf "%s\\0" "${name}"' for name in names)

        read = subprocess.run(["/bin/sh", "-c", script], cwd=tmp_path, capture_output=True, check=True)

        assert read.stdout.decode().split("\0")[:-1] == ODD_VALUES

    def test_says_where_the_data_is_relative_to_itself(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("GANGWAY_DATA_DIR")
        write_env_file(tmp_path / "x.env", LEAST | {"GANGWAY_DATA_DIR": "data"}, heading="")

        assert Settings.load(find_sources(env_file=tmp_path / "x.env")).data_dir == tmp_path / "data"


class TestOneFileForEach:
    """`GANGWAY_…_FILE` names a file that holds the value."""

    @pytest.mark.parametrize("around", ["{}\n", "{}\r\n", "\ufeff{}\n", " {}\n\n"])
    def test_is_read_without_what_editors_add(
        self, around: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "secret").write_bytes(around.format(SECRET_KEY).encode())
        monkeypatch.setenv("GANGWAY_SECRET_KEY_FILE", str(tmp_path / "secret"))
        monkeypatch.setenv("GANGWAY_ENCRYPTION_KEYS", KEY)

        assert Settings.load().signing_keys == [SECRET_KEY]

    def test_that_is_not_there_is_named_beside_all_settings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answer = run_command("check", GANGWAY_SECRET_KEY_FILE="/no/such/file", GANGWAY_ENCRYPTION_KEYS=KEY)

        assert answer.exit_code == 1
        assert "GANGWAY_SECRET_KEY_FILE names /no/such/file, which can't be read" in answer.output
        assert "GANGWAY_COMPANY_NAME=Acme Cloud\n" in answer.output

    @pytest.mark.parametrize("content", [b"\xff\xfea", b"an unguessable key\0"])
    def test_that_is_no_text_is_refused(
        self, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "secret").write_bytes(content)
        monkeypatch.setenv("GANGWAY_SECRET_KEY_FILE", str(tmp_path / "secret"))
        monkeypatch.setenv("GANGWAY_ENCRYPTION_KEYS", KEY)

        with pytest.raises(
            SettingsRefused, match=r"GANGWAY_SECRET_KEY_FILE names .*, which is not (UTF-8 )?text"
        ):
            Settings.load()

    def test_that_never_ends_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GANGWAY_COMPANY_NAME_FILE", "/dev/zero")

        answer = run_command("check")

        assert "GANGWAY_COMPANY_NAME_FILE names /dev/zero, which is longer than 65,536" in answer.output

    def test_beside_the_setting_itself_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "secret").write_text(SECRET_KEY)
        for name, value in LEAST.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("GANGWAY_SECRET_KEY_FILE", str(tmp_path / "secret"))

        with pytest.raises(SettingsRefused, match="are both set: keep one"):
            Settings.load()

    def test_in_the_environment_beats_the_env_file(
        self, env_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "name").write_text("From its own file")
        monkeypatch.setenv("GANGWAY_COMPANY_NAME_FILE", str(tmp_path / "name"))

        assert Settings.load(find_sources(env_file=env_file)).company_name == "From its own file"


class TestDataFolder:
    """Data lies outside the code, except in a checkout."""

    def test_of_a_checkout_is_its_instance_folder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("GANGWAY_DATA_DIR")

        assert find_sources(without_file=True).data_folder == ROOT / "instance"

    @pytest.mark.parametrize(
        ("state", "expected"),
        [("/var/state", "/var/state/gangway"), ("relative", "/home/ada/.local/state/gangway")],
    )
    def test_of_an_installed_package_is_in_the_state_of_its_user(
        self, state: str, expected: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.delenv("GANGWAY_DATA_DIR")
        monkeypatch.setenv("XDG_STATE_HOME", state)
        monkeypatch.setenv("HOME", "/home/ada")
        monkeypatch.setattr(environment, "CODE", tmp_path / "site-packages" / "app")

        assert str(find_sources(without_file=True).data_folder) == expected

    def test_is_where_the_database_is(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("GANGWAY_DATA_DIR", str(tmp_path))
        keys = {"secret_key": Fernet.generate_key().decode(), "encryption_keys": KEY}

        assert Settings.of(keys).database_url == f"sqlite:///{tmp_path / 'gangway.db'}"


class TestCheck:
    """`gangway check` on settings."""

    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("GANGWAY_COMPANY_NAMEE", "GANGWAY_COMPANY_NAME"),
            ("GANGWAY_SUPORT_EMAIL", "GANGWAY_SUPPORT_EMAIL"),
            ("GANGWAY_PUBLICURL", "GANGWAY_PUBLIC_URL"),
            ("GANGWAI_PUBLIC_URL", "GANGWAY_PUBLIC_URL"),
            ("GANGWAY_SECRET_KEY_FIL", "GANGWAY_SECRET_KEY_FILE"),
        ],
    )
    @pytest.mark.parametrize("source", ["environment", "file"])
    def test_names_misspelt_ones(self, name: str, meant: str, source: str, tmp_path: Path) -> None:
        variables, options = LEAST | {name: "x"}, []
        if source == "file":
            write_env_file(tmp_path / "x.env", variables, heading="")
            variables, options = {}, ["--env-file", str(tmp_path / "x.env")]

        answer = run_command("check", *options, **variables)

        assert f"Warning: {name} is not a setting: did you mean {meant}?\n" in answer.output

    def test_names_one_that_resembles_no_setting(self) -> None:
        answer = run_command("check", **LEAST, GANGWAY_ZZZ="x")

        assert "Warning: GANGWAY_ZZZ is not a setting: nothing reads it.\n" in answer.output

    def test_prints_all_of_them_when_some_are_wrong(self) -> None:
        answer = run_command(
            "check",
            GANGWAY_WEB_THREADS="many",
            GANGWAY_DATABASE_URL="postgresql+psycopg://u@h/d?password=geheim",
        )

        lines = dict(
            line.split("=", 1)
            for line in answer.output.splitlines()
            if line.startswith("GANGWAY_") and "=" in line
        )
        assert answer.exit_code == 1
        assert set(lines) >= {f"GANGWAY_{name.upper()}" for name in Settings.model_fields}
        assert lines["GANGWAY_WEB_THREADS"] == "many"
        assert "GANGWAY_SECRET_KEY is missing" in answer.output
        assert "geheim" not in answer.output

    def test_masks_a_database_that_it_can_not_read(self) -> None:
        answer = run_command("check", GANGWAY_DATABASE_URL="user:geheim@host")

        assert "geheim" not in answer.output
