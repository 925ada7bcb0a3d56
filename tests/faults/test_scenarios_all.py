"""No scenario of the list is forgotten."""

import ast
from pathlib import Path

from tests.faults.scenarios import ALL, CANNOT_OCCUR, number_of

HERE = Path(__file__).parent


def test_every_scenario_has_a_test_or_a_reason_why_it_cannot_occur():
    tested = {
        number
        for module in HERE.glob("test_scenarios_*.py")
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (number := number_of(node.name)) is not None
    }

    assert tested.isdisjoint(CANNOT_OCCUR)
    assert tested | set(CANNOT_OCCUR) == set(ALL)
