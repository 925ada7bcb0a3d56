"""Strange JSON where the database keeps facts: read as a fact, or refused with one exception."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st

from engine.domain.accounts.incidents import Incident
from engine.domain.rebalancing.check_result import CheckResult
from engine.storage.serialization import ALERTS, alert_from_json, from_json, to_json
from tests.faults.strange import json_values, mutated, try_all

Record = Callable[[str, object], None]

# As rows look that an earlier version may have written.
NOON = "2026-11-22T12:00:00+00:00"
TRADE: dict[str, object] = {
    "dry_run": False,
    "symbol": "MNTLUSDT",
    "side": "BUY",
    "trigger": "interval",
    "base_quantity": "8142",
    "quote_amount": "16.3",
    "asked_quote": "17.1",
    "fees": {"USDT": "0.01"},
    "quote_before": "57.1",
    "quote_after": None,
    "target": "40",
    "late": True,
}
TROUBLE: dict[str, object] = {
    "kind": "clock",
    "detail": "700003: outside the window",
    "since": NOON,
    "last_at": NOON,
    "count": 3,
    "told": 1,
    "told_kinds": ["clock", "blocked"],
}
LOOK: dict[str, object] = {
    "at": NOON,
    "trigger": "person",
    "target": "40",
    "band": {"low": "38", "high": "42"},
    "verdict": {"_type": "Declined", "reason": {"_type": "EmptyBook", "side": "BUY"}},
    "seen": {
        "symbol": "MNTLUSDT",
        "quote": {"free": "57.1", "locked": "0"},
        "base": {"free": "1", "locked": "0"},
        "held": "57.1",
        "price": "0.002",
    },
}
ROWS: dict[str, tuple[Callable[[str], Any], dict[str, object]]] = {
    "trade": (lambda text: alert_from_json("trade_settled", text), TRADE),
    "trouble": (lambda text: from_json(text, Incident), TROUBLE),
    "look": (lambda text: from_json(text, CheckResult), LOOK),
}


@pytest.mark.parametrize("name", list(ROWS))
def test_a_row_that_was_tampered_with_is_a_fact_or_a_value_error(
    name: str, record_property: Record
):
    read, original = ROWS[name]
    kept = read(json.dumps(original))

    def claim(row: object) -> None:
        try:
            fact = read(json.dumps(row))
        except ValueError:
            return
        assert type(fact) is type(kept)
        assert read(to_json(fact)) == fact

    record_property("bad_inputs", try_all(mutated(original), claim))


def test_any_json_under_any_name_is_an_alert_or_a_value_error(record_property: Record):
    def claim(row: tuple[str, object]) -> None:
        kind, contents = row
        try:
            alert = alert_from_json(kind, json.dumps(contents))
        except ValueError:
            return
        assert type(alert) is ALERTS[kind]

    inputs = st.tuples(st.sampled_from([*ALERTS, "party", ""]), json_values)

    record_property("bad_inputs", try_all(inputs, claim))


@pytest.mark.parametrize(
    ("field", "value"),
    [("count", float("inf")), ("fees", []), ("since", "2026-11-22T12:00:00"), ("told_kinds", 7)],
)
def test_what_is_of_another_kind_is_a_value_error(field: str, value: object):
    read, original = ROWS["trade" if field in TRADE else "trouble"]

    with pytest.raises(ValueError, match="this is no"):
        read(json.dumps(original | {field: value}))
