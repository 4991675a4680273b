"""Each mechanism has a test that notices when it breaks: we break them one by one, in a copy of the tree."""

from collections.abc import Iterator

import pytest

from tests.mutants import MUTANTS, Mutant
from tests.mutants.trial import ROOT, Copy

GREEN, RED = 0, 1  # exit codes of pytest: all passed, some failed
PATIENCE = 1200  # seconds; each test in the copy has its own limit


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """A copy of the tree for this worker."""
    made = Copy(tmp_path_factory.mktemp("mutants"))
    yield made
    made.close()


def test_each_change_still_applies() -> None:
    assert [problem for mutant in MUTANTS for problem in mutant.problems(ROOT)] == []


def test_each_change_has_a_name_of_its_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 80
    assert len({(mutant.file, mutant.old, mutant.new) for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.mutants
@pytest.mark.timeout(PATIENCE)
@pytest.mark.parametrize("database", sorted({mutant.database for mutant in MUTANTS}))
def test_all_named_tests_pass_while_nothing_is_changed(database: str, copy: Copy) -> None:
    named = dict.fromkeys(mutant.test for mutant in MUTANTS if mutant.database == database)

    ended = copy.run(*named, database=database)

    assert ended.code == GREEN, ended.said[-3000:]


@pytest.mark.mutants
@pytest.mark.timeout(PATIENCE)
@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name.replace(" ", "-") for mutant in MUTANTS])
def test_is_noticed(mutant: Mutant, copy: Copy) -> None:
    with copy.changed(mutant):
        ended = copy.run(mutant.test, database=mutant.database)

    assert ended.code != GREEN, f"no test notices that {mutant.name}: {mutant.test} passes"
    assert ended.code == RED, f"{mutant.name}: the test could not run\n{ended.said[-3000:]}"
