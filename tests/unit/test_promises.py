"""Every proof that the pages on reliability name can be run."""

import ast
import re
from pathlib import Path

import pytest

from tests.sampling import is_promised

ROOT = Path(__file__).parents[2]
PAGES = ("docs/promises.md", "docs/reliability.md")
PROOF = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
TARGET = re.compile(r"`make (\w+)`")


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_is_named_as_a_proof_exists(page: str):
    named = PROOF.findall((ROOT / page).read_text(encoding="utf-8"))

    assert named
    assert [(file, test) for file, test in named if not _has(ROOT / file, test)] == []


def test_the_proof_of_a_promise_is_never_left_out_of_the_short_form():
    named = PROOF.findall((ROOT / PAGES[0]).read_text(encoding="utf-8"))

    left_out = {
        (file, node.name)
        for file in {file for file, _ in named}
        for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and any(ast.unparse(decorator) == "LONG" for decorator in node.decorator_list)
    }

    assert left_out
    assert left_out & set(named) == set()
    assert [test for _, test in named if test and not is_promised(test)] == []
    assert is_promised("test_13_a_scenario_that_a_row_names_by_its_number")
    assert not is_promised("test_14_another_scenario")


def test_every_promise_names_its_proof():
    table = (ROOT / PAGES[0]).read_text(encoding="utf-8").split("\n## ")[0]
    promises = [row for row in table.splitlines() if row.startswith("| ")][1:]

    assert len(promises) > 12
    assert [p for p in promises if "`tests/" not in p and "pyproject.toml" not in p] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_the_pages_exists(page: str):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    wanted = set(TARGET.findall((ROOT / page).read_text(encoding="utf-8")))

    assert wanted
    assert {
        target for target in wanted if not re.search(f"^{target}:", makefile, re.MULTILINE)
    } == set()


def _has(file: Path, test: str) -> bool:
    if not file.exists():
        return False
    if not test:
        return True
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return any(isinstance(node, functions) and node.name == test for node in ast.walk(tree))
