"""How the code is laid out: what may import what, and what is where."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "app"

# A package imports only what stands on a line before its own (STYLE.md, "Rules of the road").
LAYERS = (
    ("errors", "db", "sqlite", "sealing", "currencies"),
    ("config",),
    ("gateway", "migrations", "metrics", "backup"),
    ("web",),
    ("journal", "idempotency"),
    ("operators",),
    ("gate",),
    ("customers", "apps"),
    ("payers",),
    ("checkout",),
    ("links",),
    ("webhooks",),
    ("sync",),
    ("doctor",),
    ("monitoring",),
    ("signup",),
    ("desk",),
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
FEATURES = {name for name, rank in RANK.items() if rank >= RANK["journal"] and (APP / name).is_dir()}
TOPS = {"__init__", "__main__", "cli", "demo", "server"}  # they put everything together
MAY_USE_SIMULATOR = {"cli", "demo"}
VISIBLE = {"pyproject.toml", "README.md", "app", "templates", "static", "tests", "instance"}


def sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def package_of(path: Path) -> str:
    """The package, or the single module, that a file of app/ belongs to."""
    return path.relative_to(APP).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, str | None]]:
    """Every module that a file imports, wherever in it, and the name taken from it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield from ((str(node.module), alias.name) for alias in node.names)


def ours(path: Path) -> Iterator[tuple[str, str]]:
    """What a file imports of app/: the package, and how deep into it."""
    for module, name in imports(path):
        parts = [*module.split("."), *([name] if name else [])]
        if parts[0] == "app" and len(parts) > 1:
            inside = APP / parts[1]
            deep = len(parts) > 2 and (inside.joinpath(*parts[2:3]).with_suffix(".py").is_file())
            yield parts[1], ".".join(parts[1:3]) if deep else parts[1]


FILES = [path for path in sources(APP) if package_of(path) not in TOPS | {"simulator"}]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(APP)))
def test_a_package_imports_only_what_stands_before_it(path: Path) -> None:
    own = package_of(path)
    if "versions" in path.parts:
        return  # the steps of the database name its types
    assert own in RANK, f"app/{own} has no place among the LAYERS yet: give it one, here and in STYLE.md"

    wrong = {name for name, _ in ours(path) if name != own and (name not in RANK or RANK[name] > RANK[own])}

    assert wrong == set()


@pytest.mark.parametrize("path", sources(APP), ids=lambda path: str(path.relative_to(APP)))
def test_a_feature_is_entered_by_its_door(path: Path) -> None:
    own = package_of(path)
    edges = {"cli", "pages", "api"} if own in {"__init__", "cli"} else set()  # blueprints and commands
    if path.name == "schemas.py":
        edges = {"schemas"}  # one body may be a part of another

    wrong = {
        deep
        for name, deep in ours(path)
        if name in FEATURES and name not in {own, deep} and deep.split(".")[1] not in edges
    }

    assert wrong == set()


def test_every_feature_lists_what_it_offers() -> None:
    doors = [APP / name / "__init__.py" for name in sorted(FEATURES) if (APP / name).is_dir()]

    assert doors
    assert [door for door in doors if "__all__" not in door.read_text()] == []


def test_only_the_gateway_imports_stripe() -> None:
    importers = {
        package_of(path)
        for path in sources(APP)
        for module, _ in imports(path)
        if module.split(".")[0] == "stripe"
    }

    assert importers == {"gateway"}


def test_the_simulator_imports_nothing_of_ours() -> None:
    foreign = {name for path in sources(APP / "simulator") for name, _ in ours(path) if name != "simulator"}

    assert foreign == set()


def test_the_product_does_without_the_simulator() -> None:
    importers = {package_of(path) for path in sources(APP) for name, _ in ours(path) if name == "simulator"}

    assert importers - {"simulator"} <= MAY_USE_SIMULATOR


def test_the_environment_is_read_in_one_place() -> None:
    words = {"environ", "environb", "getenv", "BaseSettings"}
    readers = {
        str(path.relative_to(APP))
        for path in sources(APP)
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr in words and ast.unparse(node.value) == "os")
        or (isinstance(node, ast.alias) and node.name in words)
    }

    assert readers == {"config.py"}


def test_every_module_says_what_it_is() -> None:
    silent = [
        path
        for path in sources(APP)
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]

    assert silent == []


def test_a_stranger_finds_few_things_at_the_top() -> None:
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}

    assert found - {"LICENSE"} == VISIBLE


def test_local_databases_are_not_committed() -> None:
    ignored = (ROOT / "instance" / ".gitignore").read_text().split()

    assert ignored == ["*", "!.gitignore"]


@pytest.mark.parametrize("folder", [".", ".ci", "app", "static", "templates", "tests"])
def test_no_file_names_a_package_registry(folder: str) -> None:
    registries = re.compile(
        r"(?:pypi|npmjs|pythonhosted|artifactory|nexus|index-url|extra-index)[\w.-]*\.?(?:org|com|io|url)?",
        re.I,
    )
    paths = (ROOT / folder).glob("*") if folder == "." else (ROOT / folder).rglob("*")
    here = Path(__file__).resolve()

    found = [
        str(path.relative_to(ROOT))
        for path in paths
        if path.is_file()
        and path.suffix in {".py", ".toml", ".md", ".txt", ".html", ".css", ".js", ".cfg", ".lock", ""}
        and path.resolve() != here
        and registries.search(path.read_text(errors="ignore"))
    ]

    assert found == []
