"""Rules of the code that no linter of ours knows: money is never a float, the domain is pure. And
the documents name modules and names that there are.
"""

import ast
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T", int, str)

ROOT = Path(__file__).parents[2]
# Waiting times and nothing else: a float here has never been an amount.
FLOATS_FOR_DURATIONS = {
    "engine/clock.py",
    "engine/errors.py",
    "engine/exchanges/interface.py",
    "engine/exchanges/request_stats.py",
    "engine/monitoring/counters.py",
    "engine/rebalancing/preview.py",
    "engine/scheduling/queue_worker.py",
}
# Data types and pure functions of the standard library; nothing that reads, waits or guesses.
DOMAIN_MAY_IMPORT = {
    "base64",
    "bisect",
    "collections",
    "collections.abc",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "hashlib",
    "heapq",
    "itertools",
    "re",
    "typing",
    "unicodedata",
    "zoneinfo",
}
THE_CLOCK = "engine/clock.py"
WALL_CLOCKS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.monotonic",
    "time.perf_counter",
    "time.sleep",
    "asyncio.sleep",
}
LONGEST_MODULE = 400
MOST_MODULES = 20
# One subject has one name there: a module of it is found by that name, however many there are.
BY_SUBJECT = {"bot/handlers", "bot/views"}
ARCHITECTURE = "docs/architecture.md"
DOCUMENTS = (
    ARCHITECTURE,
    "CONTRIBUTING.md",
    "DECISIONS.md",
    "README.md",
    "SECURITY.md",
    "docs/operations.md",
    "docs/releasing.md",
)
# Where `alembic/` is in the wheel.
IN_THE_WHEEL = "engine/_migrations"
PATH = re.compile(r"`((?:alembic|benchmarks|bot|deploy|docs|engine|tests)/[\w./-]*)`")
NAME = re.compile(r"`([A-Za-z_]*[A-Z_][A-Za-z_]*)`")


@cache
def modules_of(*folders: str) -> list[str]:
    return sorted(
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if path.read_text()
    )


@cache
def nodes_of(module: str) -> list[ast.AST]:
    return list(ast.walk(ast.parse((ROOT / module).read_text(), filename=module)))


def imports_of(module: str) -> set[str]:
    found = set()
    for node in nodes_of(module):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def floats_in(module: str) -> list[int]:
    """The lines that say `float` or write one down, annotations included."""
    return [
        node.lineno
        for node in nodes_of(module)
        if (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.Constant) and isinstance(node.value, float | complex))
    ]


def calls_in(module: str) -> Iterator[tuple[str, int]]:
    for node in nodes_of(module):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def calls_of(names: Collection[str], module: str) -> list[int]:
    """The lines that call one of *names*."""
    return [line for name, line in calls_in(module) if name in names]


def offenders(modules: Iterable[str], found: Callable[[str], Collection[T]]) -> dict[str, list[T]]:
    """What *found* finds in each of *modules*, where that is anything."""
    return {module: sorted(what) for module in modules if (what := found(module))}


def test_money_is_never_a_float():
    assert offenders({*modules_of("engine")} - FLOATS_FOR_DURATIONS, floats_in) == {}


def test_nothing_is_turned_into_a_float_or_rounded_in_no_named_direction():
    found = offenders(modules_of("engine"), partial(calls_of, {"float", "round"}))

    assert found == {}


def test_the_exceptions_are_only_those_that_need_it():
    needless = {module for module in FLOATS_FOR_DURATIONS if not floats_in(module)}

    assert not needless
    assert not {
        module for module in FLOATS_FOR_DURATIONS if "domain" in module or "storage" in module
    }


def test_the_domain_imports_data_types_and_itself():
    def foreign(module: str) -> set[str]:
        return {
            name
            for name in imports_of(module) - DOMAIN_MAY_IMPORT
            if not name.startswith("engine.domain") and name != "engine.errors"
        }

    assert offenders(modules_of("engine/domain"), foreign) == {}


def test_only_the_clock_knows_the_time():
    found = offenders(modules_of("engine"), partial(calls_of, WALL_CLOCKS))

    assert found.keys() <= {THE_CLOCK}


def test_production_code_does_not_assert():
    def asserts(module: str) -> list[int]:
        return [node.lineno for node in nodes_of(module) if isinstance(node, ast.Assert)]

    assert offenders(modules_of("engine", "bot"), asserts) == {}


def test_a_module_says_what_it_owns_and_is_not_too_long():
    texts = {module: (ROOT / module).read_text() for module in modules_of("engine", "bot")}

    assert [
        module for module, text in texts.items() if not ast.get_docstring(ast.parse(text))
    ] == []
    assert [m for m, text in texts.items() if text.count("\n") > LONGEST_MODULE] == []


def test_the_engine_knows_nothing_of_the_bot():
    def outside(module: str) -> set[str]:
        return {name.split(".")[0] for name in imports_of(module)} & {"bot", "telegram", "tests"}

    assert offenders(modules_of("engine"), outside) == {}


def test_no_folder_is_flat():
    modules = Counter(module.rpartition("/")[0] for module in modules_of("engine", "bot"))

    assert {
        folder
        for folder, count in modules.items()
        if count > MOST_MODULES and folder not in BY_SUBJECT
    } == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_names_exists(document):
    named = set(PATH.findall((ROOT / document).read_text(encoding="utf-8")))

    assert {path for path in named if not (ROOT / path).exists()} <= {IN_THE_WHEEL}


def test_the_page_on_the_architecture_knows_every_package_and_finds_its_names_in_its_files():
    text = (ROOT / ARCHITECTURE).read_text(encoding="utf-8")
    files = [ROOT / path for path in PATH.findall(text) if (ROOT / path).is_file()]
    known = {word for file in files for word in re.findall(r"\w+", file.read_text())}
    packages = {
        folder.name
        for part in ("engine", "bot")
        for folder in (ROOT / part).iterdir()
        if (folder / "__init__.py").exists()
    }

    assert len(files) > 40
    assert {name for name in packages if f"`{name}`" not in text} == set()
    assert {name for name in NAME.findall(text) if name not in known} == set()
