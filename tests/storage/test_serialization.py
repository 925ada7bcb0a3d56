"""Facts that go to the database as JSON come back as they were."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.accounts.incidents import Incident, IncidentKind
from engine.domain.accounts.settings import Band
from engine.domain.alerts.alerts import (
    Alert,
    IncidentAlert,
    IncidentResolved,
    RunDeclined,
    TradeSettled,
)
from engine.domain.market.balances import Balance
from engine.domain.market.pairs import Asset, Side, Symbol
from engine.domain.orders.order import Trigger
from engine.domain.rebalancing.check_result import (
    AwaitingSettlement,
    BalanceSnapshot,
    CheckFailed,
    CheckResult,
    Decision,
    NoTrade,
    OrderPending,
    OrderPlaced,
)
from engine.domain.rebalancing.planner import InsideBand, NothingFree, Plan, Reason, UnderMinimum
from engine.domain.targets.bands import Threshold
from engine.storage.serialization import ALERTS, alert_from_json, from_json, to_json

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

amounts = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=0, max_value=10**12, places=18
)
moments = st.datetimes(timezones=st.just(UTC))
words = st.text(max_size=40)
_PARTS = st.decimals(min_value="0.0001", max_value="0.9999", places=4)
st.register_type_strategy(Decimal, amounts)
st.register_type_strategy(datetime, moments)
st.register_type_strategy(str, words)
st.register_type_strategy(
    Threshold,
    st.one_of(
        st.builds(Threshold, relative=_PARTS),
        st.builds(Threshold, quote_amount=_PARTS),
        st.builds(Threshold, points=_PARTS, relative=st.none() | _PARTS),
    ),
)


@st.composite
def alerts(draw: st.DrawFn) -> Alert:
    alert: Alert = draw(st.from_type(draw(st.sampled_from(get_args(Alert)))))
    return alert


def a_look(verdict: Decision, *, seen: BalanceSnapshot | None = None) -> CheckResult:
    return CheckResult(
        at=NOON,
        trigger=Trigger.PERSON,
        target=Decimal("40.00"),
        band=Band(low=Decimal(38), high=Decimal(42)),
        verdict=verdict,
        seen=seen,
    )


@given(alert=alerts())
def test_every_alert_comes_back_as_it_was(alert: Alert):
    assert alert_from_json(alert.stored_as, to_json(alert)) == alert


@given(reason=st.one_of([st.from_type(kind) for kind in get_args(Reason)]))
def test_every_reason_comes_back_inside_a_verdict(reason: Reason):
    look = a_look(NoTrade(reason))

    assert from_json(to_json(look), CheckResult) == look


@pytest.mark.parametrize(
    "verdict",
    [
        OrderPlaced("bl1", Side.SELL, Decimal("17.10")),  # type: ignore[arg-type] # an id is a str
        NoTrade(UnderMinimum(Side.BUY, Decimal("0.4"), Decimal("1.1"))),
        OrderPending("bl1"),  # type: ignore[arg-type] # an id is a str
        AwaitingSettlement(told=True),
        CheckFailed(IncidentKind.CLOCK, "700003: outside the window"),
    ],
    ids=lambda verdict: type(verdict).__name__,
)
def test_every_verdict_comes_back(verdict: Decision):
    seen = BalanceSnapshot(
        symbol=Symbol("MNTLUSDT"), quote=Balance(Decimal("1E-8")), base=Balance(), held=Decimal(1)
    )
    look = a_look(verdict, seen=seen)

    assert from_json(to_json(look), CheckResult) == look


def test_every_alert_has_a_name_of_its_own():
    assert set(ALERTS.values()) == set(get_args(Alert))


def test_an_optional_choice_may_be_absent_or_present():
    plans = [
        Plan(held=Decimal(1), reason=InsideBand()),
        Plan(held=Decimal(1), reason=NothingFree(Side.BUY, Decimal(0), Decimal("0.5"))),
    ]

    assert [from_json(to_json(plan), Plan) for plan in plans] == plans


def test_a_set_of_enums_comes_back():
    trouble = Incident(
        kind=IncidentKind.CLOCK,
        detail="",
        since=NOON,
        last_at=NOON,
        told_kinds=frozenset({IncidentKind.CLOCK, IncidentKind.BLOCKED}),
    )

    assert from_json(to_json(trouble), Incident) == trouble


def test_amounts_are_written_as_text_without_an_exponent():
    settled = TradeSettled(
        dry_run=False,
        symbol=Symbol("MNTLUSDT"),
        side=Side.BUY,
        trigger=Trigger.INTERVAL,
        base_quantity=Decimal(8142),
        quote_amount=Decimal("1E-7"),
        asked_quote=Decimal("17.1"),
        fees={Asset("MX"): Decimal("0.0001")},
        quote_before=Decimal("1E+3"),
        quote_after=None,
        target=Decimal(40),
    )

    written = json.loads(to_json(settled))

    assert (written["quote_amount"], written["quote_before"]) == ("0.0000001", "1000")
    assert written["fees"] == {"MX": "0.0001"}


def test_a_field_of_a_newer_version_is_ignored_and_a_missing_one_takes_its_default():
    over = IncidentResolved(dry_run=True, kind=IncidentKind.BLOCKED, count=3, since=NOON, at=NOON)
    newer = json.loads(to_json(over)) | {"mood": "better"}
    declined = RunDeclined(
        dry_run=False, symbol=Symbol("X"), held=Decimal(1), target=Decimal(2), reason=None
    )
    older = json.loads(to_json(declined))
    del older["new_side"], older["new_quote"]

    assert from_json(json.dumps(newer), IncidentResolved) == over
    assert from_json(json.dumps(older), RunDeclined) == declined


@dataclass(frozen=True, slots=True)
class Priced:
    price: Decimal


@pytest.mark.parametrize(
    "text",
    [
        '{"price": 0.1}',
        '{"price": "NaN"}',
        '{"price": null}',
        "{}",
        "[]",
        "no json",
        "[" * 100_000,
    ],
    ids=["number", "nan", "null", "missing", "list", "words", "deep"],
)
def test_what_is_not_exact_or_not_ours_is_refused(text: str):
    with pytest.raises(ValueError, match="Priced"):
        from_json(text, Priced)


def test_an_unknown_kind_of_alert_is_refused():
    with pytest.raises(ValueError, match="party"):
        alert_from_json("party", "{}")


@pytest.mark.parametrize("reason", ['{"_type": "Party"}', "{}", "7"])
def test_an_unknown_choice_is_refused(reason: str):
    with pytest.raises(ValueError, match="NoTrade"):
        from_json(f'{{"reason": {reason}}}', NoTrade)


def test_none_is_refused_where_a_choice_must_be_made():
    with pytest.raises(ValueError, match="NoTrade"):
        from_json('{"reason": null}', NoTrade)


def test_a_told_trouble_keeps_its_reason():
    told = IncidentAlert(
        dry_run=False,
        kind=IncidentKind.BLOCKED,
        detail="NothingFree",
        count=2,
        since=NOON,
        at=NOON,
        symbol=Symbol("MNTLUSDT"),
        reason=NothingFree(Side.SELL, Decimal(0), Decimal(9)),
    )

    assert alert_from_json("trouble_told", to_json(told)) == told
