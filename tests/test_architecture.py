"""The code keeps to its layout: which package may import which, what is read where, and what lies where."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "app"

# A package imports only packages of earlier lines. `.docs/architecture.md` says what each is for.
LAYERS = (
    ("core",),
    ("gateway", "web", "migrations"),
    ("audit", "serving"),
    ("operators",),
    ("api",),
    ("customers", "apps"),
    ("portal",),
    ("payers",),
    ("checkout",),
    ("webhooks",),
    ("sync",),
    ("outbox",),
    ("onboarding", "doctor"),
    ("console", "monitoring"),
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
SHARED = {"core", "gateway", "migrations", "serving", "web", "api"}  # entered by their modules
FEATURES = RANK.keys() - SHARED
TOPS = {"__init__", "__main__", "application", "cli"}  # they put everything together
MAX_FIRST_LEVEL = 24
MAY_USE_SIMULATOR = {"cli"}
VISIBLE = {"pyproject.toml", "README.md", "app", "templates", "static", "tests", "instance"}


@cache
def sources(folder: Path) -> list[Path]:
    """The modules in a folder."""
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


@cache
def parsed(path: Path) -> ast.Module:
    """A module's syntax tree: every test reads the same one."""
    return ast.parse(path.read_text())


def package_of(path: Path) -> str:
    """The package, or the single module, that a file of app/ belongs to."""
    return path.relative_to(APP).parts[0].removesuffix(".py")


@cache
def imports(path: Path) -> list[tuple[str, str | None]]:
    """Every module that a file imports, wherever in it, and the name taken from it."""
    found: list[tuple[str, str | None]] = []
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found += ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found += ((str(node.module), alias.name) for alias in node.names)
    return found


@cache
def imports_on_load(path: Path) -> list[tuple[str, str | None]]:
    """Return the imports at the top of a module, each with the name taken from it."""
    found: list[tuple[str, str | None]] = []
    for node in parsed(path).body:
        if isinstance(node, ast.Import):
            found += ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found += ((str(node.module), alias.name) for alias in node.names)
    return found


def ours(path: Path) -> Iterator[tuple[str, str]]:
    """What a file imports of app/: the package, and how deep into it."""
    for module, name in imports(path):
        parts = [*module.split("."), *([name] if name else [])]
        if parts[0] == "app" and len(parts) > 1:
            inside = APP / parts[1]
            deep = len(parts) > 2 and (inside.joinpath(*parts[2:3]).with_suffix(".py").is_file())
            yield parts[1], ".".join(parts[1:3]) if deep else parts[1]


def test_a_package_imports_only_earlier_packages() -> None:
    files = [
        path
        for path in sources(APP)
        if package_of(path) not in TOPS | {"simulator"}
        and "versions" not in path.parts  # the steps of the database name its types
    ]
    homeless = {package_of(path) for path in files} - RANK.keys()

    wrong = {
        f"{path.relative_to(APP)} imports {name}"
        for path in files
        for name, _ in ours(path)
        if name != package_of(path) and RANK.get(name, len(LAYERS)) >= RANK.get(package_of(path), -1)
    }

    assert homeless == set(), (
        "give these packages a place among the LAYERS, here and in .docs/architecture.md"
    )
    assert wrong == set()


def test_the_documents_list_the_packages_in_this_order() -> None:
    text = (ROOT / ".docs" / "architecture.md").read_text()
    table = text.partition("| packages |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (`.*?`) \|", table, re.M)

    assert tuple(tuple(re.findall(r"`(\w+)`", row)) for row in rows) == LAYERS


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = {module_name(path): dependencies(path) for path in sources(APP)}

    cycles = {name for name in graph if name in reachable(name, graph)}

    assert cycles == set()


def module_name(path: Path) -> str:
    """Return the dotted name of a module of app/."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def dependencies(path: Path) -> set[str]:
    """Return the modules of app/ that a module imports when it is loaded, and nothing for the top."""
    names = {module_name(source) for source in sources(APP)} - {"app"}
    found = {
        f"{module}.{name}" if f"{module}.{name}" in names else module
        for module, name in imports_on_load(path)
    }
    return found & names


def reachable(start: str, graph: dict[str, set[str]]) -> set[str]:
    """Return every module that a module needs, directly or by others."""
    found: set[str] = set()
    left = list(graph[start])
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += graph[name]
    return found


def test_few_packages_lie_at_the_first_level() -> None:
    found = {package_of(path) for path in sources(APP)} - {"__init__"}

    assert len(found) <= MAX_FIRST_LEVEL


def test_a_feature_is_entered_by_its_public_interface() -> None:
    wrong = {
        f"{path.relative_to(APP)} imports {deep}"
        for path in sources(APP)
        for name, deep in ours(path)
        if name in FEATURES
        and name not in {package_of(path), deep}
        and deep.split(".")[1] not in edges_open_to(path)
    }

    assert wrong == set()


def edges_open_to(path: Path) -> set[str]:
    """The inner modules of other features that a file may import."""
    if path.name == "schemas.py":
        return {"schemas"}  # one body may be a part of another
    return {"cli", "pages", "api"} if package_of(path) in {"application", "cli"} else set()


def test_every_feature_lists_what_it_offers() -> None:
    interfaces = [APP / name / "__init__.py" for name in sorted(FEATURES)]

    assert interfaces
    assert [path for path in interfaces if "__all__" not in path.read_text()] == []


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
        for node in ast.walk(parsed(path))
        if (isinstance(node, ast.Attribute) and node.attr in words and ast.unparse(node.value) == "os")
        or (isinstance(node, ast.alias) and node.name in words)
    }

    assert readers == {"core/environment.py"}


def test_every_module_says_what_it_is() -> None:
    silent = [
        path for path in sources(APP) if path.read_text().strip() and not ast.get_docstring(parsed(path))
    ]

    assert silent == []


def test_a_stranger_finds_few_things_at_the_top() -> None:
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}

    assert found - {"LICENSE"} == VISIBLE


def test_local_databases_are_not_committed() -> None:
    ignored = (ROOT / "instance" / ".gitignore").read_text().split()

    assert ignored == ["*", "!.gitignore"]


def test_no_file_names_a_package_registry() -> None:
    registries = re.compile(
        r"(?:pypi|npmjs|pythonhosted|artifactory|nexus|index-url|extra-index)[\w.-]*\.?(?:org|com|io|url)?",
        re.I,
    )
    folders = (".ci", "app", "static", "templates", "tests")
    paths = [*ROOT.glob("*"), *(path for folder in folders for path in (ROOT / folder).rglob("*"))]
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
