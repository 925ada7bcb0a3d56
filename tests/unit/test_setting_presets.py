"""What the panel offers is always something that may be set, and never what is set already."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.parsing.settings import parse_interval, parse_limits, parse_target, parse_threshold
from bot.views.components.command_text import amount_text, interval_text, threshold_text
from engine.domain.accounts import setting_presets
from engine.domain.accounts.risk_limits import Limits
from engine.domain.accounts.settings import MAX_INTERVAL, MAX_TARGET, MIN_INTERVAL
from engine.domain.targets.bands import Threshold
from tests.builders import settings

D = Decimal
targets = st.decimals("0.01", MAX_TARGET, places=2)
smallest = st.none() | st.decimals("0.01", "100", places=2)


@pytest.mark.parametrize(
    ("target", "offered"),
    [
        ("40", ["15", "30", "50", "65"]),
        ("100", ["75", "90", "110", "125"]),
        ("400", ["150", "300", "500", "650"]),
        ("20", ["17.5", "19", "21", "22.5"]),
        ("1", ["2", "3.5"]),
        ("30.01", ["5.01", "20.01", "40.01", "55.01"]),
    ],
)
def test_targets_are_a_little_less_and_a_little_more(target: str, offered: list[str]):
    assert setting_presets.targets(D(target)) == [D(value) for value in offered]


@given(targets)
def test_every_target_offered_can_be_set_and_is_another(target: D):
    offered = setting_presets.targets(target)

    assert target not in offered
    assert list(offered) == sorted(set(offered))
    assert [parse_target(amount_text(value)) for value in offered] == list(offered)
    assert offered


@given(targets, st.booleans(), st.integers(1, 9999), smallest)
def test_every_threshold_offered_can_be_set_and_leaves_a_band(
    target: D, in_quote: bool, hundredths: int, least: D | None
):
    now = settings(target=target, threshold=D(hundredths) / 10000, in_quote=in_quote)
    offered = setting_presets.thresholds(now, smallest=least)

    for threshold in offered:
        assert parse_threshold(threshold_text(threshold)) == threshold != now.threshold
        assert threshold.in_quote(target) < target


def test_thresholds_that_could_never_trade_are_left_out_if_others_are_there():
    offered = setting_presets.thresholds(settings(), smallest=D("5.5"))
    hopeless = setting_presets.thresholds(settings(), smallest=D(39))

    assert [threshold.relative for threshold in offered] == [D("0.15"), D("0.2")]
    assert hopeless == setting_presets.thresholds(settings(), smallest=None)
    assert [threshold.relative for threshold in hopeless] == [D(p) / 100 for p in (2, 3, 7, 10)]


def test_thresholds_keep_the_unit():
    now = settings(threshold=2, in_quote=True)

    assert setting_presets.thresholds(now, smallest=None) == [
        Threshold(quote_amount=D(value)) for value in ("0.5", "1", "5", "10")
    ]


@given(st.timedeltas(MIN_INTERVAL, MAX_INTERVAL))
def test_every_interval_offered_can_be_set_and_is_another(interval: timedelta):
    offered = setting_presets.intervals(interval)

    assert interval not in offered
    assert [parse_interval(interval_text(value)) for value in offered] == list(offered)
    assert offered


@given(st.decimals("0.01", MAX_TARGET, places=2))
def test_every_limit_offered_can_be_set(limit: D):
    for amount in setting_presets.order_limits(limit):
        assert parse_limits(f"order {amount_text(amount)}") == {"order": amount}
        assert Limits(order=amount).order == amount != limit
