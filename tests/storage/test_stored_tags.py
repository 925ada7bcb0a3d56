"""What stands in databases keeps its name, whatever classes are called: rows outlive versions, and
two versions work on one database.

`stored/tags.json` has the names as 0.5.0 wrote them. A line may come to it, with what is new; none
is ever changed or taken away.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from sqlalchemy import Enum as EnumType

from bot.handlers.basket_builder import BasketDraft
from bot.handlers.flows import AskedFlow
from bot.handlers.members import Chosen, MemberRequest, Shown
from bot.handlers.target_card import TargetWish
from engine.domain.accounts.account import Halt
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.accounts.undeliverable import Undeliverable
from engine.domain.alerts.preferences import AlertLevel
from engine.domain.alerts.sharing import SharedAlert
from engine.domain.alerts.traits import AlertKind
from engine.domain.rebalancing.approval import ApprovalRequest
from engine.domain.rebalancing.check_result import REASON_TAGS, CheckResult
from engine.domain.rebalancing.decision import DecisionInputs
from engine.domain.rebalancing.leg_order import StoredLeg
from engine.domain.rebalancing.manual_trade import ManualRun
from engine.domain.rebalancing.pending_change import PendingChange
from engine.domain.rebalancing.planner import Reason
from engine.domain.rebalancing.replay import StoredDecision
from engine.domain.rebalancing.run_request import ManualOffer, RunOffer, WholePlan
from engine.domain.rebalancing.slices.plan import SlicesOffer
from engine.domain.runs.stored_run import RunStory
from engine.domain.targets.bands import Threshold
from engine.domain.targets.target import FixedUsdt
from engine.execution.stray_orders import StrayOrder
from engine.storage.column_types import Base
from engine.storage.models import queues
from engine.storage.queues import outbox
from engine.storage.serialization import ALERTS, TAGS, from_json, to_json
from tests.builders import decision_inputs
from tests.source import not_spelled
from tests.storage.stored.contents import QUESTIONS

GOLDEN = Path(__file__).parent / "stored" / "tags.json"
# Every value that is stored as JSON, by where it stands.
ROOTS: Mapping[str, type] = {
    "looks, decisions, cards, note seen": CheckResult,
    "note halt, question lift_halt": Halt,
    "note offer": ApprovalRequest,
    "note undeliverable": Undeliverable,
    "question rebalance, offer": RunOffer,
    "question manual_trade": ManualOffer,
    "requests manual": ManualRun,
    "requests plan": WholePlan,
    "question sliced_trade": SlicesOffer,
    "orders inputs": StoredDecision,
    "orders inputs of legs": StoredLeg,
    "runs story": RunStory,
    "question go_live, undo, big_target, keep_deposit": PendingChange,
    "question resume": PendingChange,
    "question waiting_deposit, kept_deposit": PendingChange,
    "question members": Shown,
    "question member": Chosen,
    "question member_role": MemberRequest,
    "question flow": AskedFlow,
    "question set_target": PendingChange,
    "question sell_whole": TargetWish,
    "question basket": BasketDraft,
    "question stray_order": StrayOrder,
    "outbox shared": SharedAlert,
    **{f"outbox {kind}": alert for kind, alert in ALERTS.items()},
}
# Asked by none of the versions whose databases are in `stored/`.
NEWER_QUESTIONS = {
    *("flow", "kept_deposit", "manual_trade", "resume", "waiting_deposit"),
    *("shares", "unshare", "share_link", "stray_order"),
    *("shares", "unshare", "share_link", "sliced_trade"),
    *("set_target", "sell_whole", "basket"),
}
WRITTEN_THRESHOLD = (
    *("value: decimal as text", "unit?: fraction | quote"),
    *("points?: decimal as text", "relative?: decimal as text"),
)
PLAIN: Mapping[object, str] = {
    str: "text",
    int: "number",
    bool: "truth",
    Decimal: "decimal as text",
    datetime: "time as text",
    timedelta: "seconds",
}


def golden() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return loaded


def shape(kind: Any, name: str = "") -> Iterator[str]:
    """A line for each thing that may stand in the JSON of *kind*, with the way to it."""
    kind = getattr(kind, "__supertype__", kind)
    if kind is Threshold:  # written as versions did that knew one value and its unit
        yield from (f"{name}.{part}" for part in WRITTEN_THRESHOLD)
    elif kind is FixedUsdt:  # written as versions did that knew no other target
        yield f"{name}: {PLAIN[Decimal]}"
    elif kind in PLAIN:
        yield f"{name}: {PLAIN[kind]}"
    elif isinstance(kind, type) and issubclass(kind, Enum):
        yield f"{name}: {' | '.join(values(kind))}"
    elif is_dataclass(kind):
        hints = get_type_hints(kind)
        if not hints:
            yield f"{name}: nothing"
        for one in (one for one in fields(kind) if one.init):  # the rest follows from these
            needed = "" if _is_needed(one) else "?"
            yield from shape(hints[one.name], f"{name}.{one.name}{needed}".lstrip("."))
    elif get_origin(kind) in {Union, UnionType}:
        yield from _shape_of_union(get_args(kind), name)
    else:
        parts = [part for part in get_args(kind) if part is not ...]
        mark = "{}" if len(parts) == 2 else "[]"
        for part in parts:
            yield from shape(part, f"{name}{mark}")


def _is_needed(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _shape_of_union(choices: Sequence[Any], name: str) -> Iterator[str]:
    if NoneType in choices:
        yield f"{name}: null"
    members = [choice for choice in choices if choice is not NoneType]
    for member in members:
        tag = f"<{TAGS[member]}>" if len(members) > 1 and member is not FixedUsdt else ""
        yield from shape(member, f"{name}{tag}")


def values(kind: type[Enum]) -> list[str]:
    return sorted(str(member.value) for member in kind)


def everything() -> dict[str, Any]:
    """As `tags.json` has it, but for what is spelled in the source alone."""
    tables = Base.metadata.tables
    return {
        "json": {place: sorted(shape(kind)) for place, kind in ROOTS.items()},
        "reasons": sorted(REASON_TAGS.values()),
        "alerts' settings": {"levels": values(AlertKind), "level": values(AlertLevel)},
        "troubles": values(IncidentKind),
        "outbox failures": [outbox.OFF, outbox.SMALL, outbox.SLOWED_DOWN],
        "ranks": [
            queues.FIRST,
            queues.NORMAL,
            queues.LAST,
            queues.ASIDE,
        ],
        "columns": {
            name: {column.name: _type(column.type) for column in tables[name].columns}
            for name in sorted(tables)
        },
        "values of columns": {
            f"{name}.{column.name}": sorted(column.type.enums)
            for name in sorted(tables)
            for column in tables[name].columns
            if isinstance(column.type, EnumType)
        },
    }


def _type(kind: Any) -> str:
    """As the first tables have it: on SQLite whole numbers and truth values differ."""
    return str(getattr(kind, "impl", kind)).split("(", maxsplit=1)[0]


@pytest.mark.parametrize("part", everything())
def test_every_name_in_the_database_is_what_it_was(part: str):
    assert everything()[part] == golden()[part]


def test_what_follows_from_other_fields_is_not_stored():
    inputs = decision_inputs()

    stored = to_json(inputs)

    assert '"fixed"' not in stored
    assert from_json(stored, DecisionInputs).settings.fixed == inputs.settings.fixed


@pytest.mark.parametrize("part", ["notes", "dedupe keys", "sealed for", "dialogs", "audit"])
def test_names_that_are_put_together_are_what_they_were(part: str):
    assert not_spelled(golden()[part]) == []


def test_every_kind_of_question_is_what_it_was():
    assert not_spelled(golden()["questions"]) == []
    assert set(golden()["questions"]) == QUESTIONS.keys() | NEWER_QUESTIONS


def test_no_tag_means_two_things_and_every_reason_has_one():
    assert len(set(TAGS.values())) == len(TAGS)
    assert REASON_TAGS.keys() == set(get_args(Reason))
