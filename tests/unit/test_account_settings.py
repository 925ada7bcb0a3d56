"""What a chat may wish for, and the band that follows from it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.accounts.settings import MAX_TARGET, Band
from engine.domain.targets.bands import Threshold
from engine.domain.targets.target import FixedUsdt
from tests.builders import account, settings


def test_five_percent_of_forty_is_a_band_of_two_each_way():
    assert settings(target=40, threshold="0.05").fixed_goal.band == Band(
        low=Decimal(38), high=Decimal(42)
    )


def test_another_target_has_another_band_and_one_of_shares_has_none():
    wishes = settings(target=40, threshold="0.05")

    raised = replace(wishes, target=FixedUsdt(Decimal(80)))
    shared = replace(wishes, threshold=Threshold(points=Decimal("0.05")))

    assert raised.fixed_goal.band == Band(low=Decimal(76), high=Decimal(84))
    assert shared.fixed is None
    assert replace(raised, target=wishes.target) == wishes


def test_a_threshold_in_usdt_does_not_grow_with_the_target():
    wishes = settings(target=1000, threshold="2", in_quote=True)

    assert wishes.fixed_goal.band == Band(low=Decimal(998), high=Decimal(1002))


def test_a_band_does_not_reach_below_zero():
    wishes = settings(target=1, threshold="5", in_quote=True)

    assert wishes.fixed_goal.band == Band(low=Decimal(0), high=Decimal(6))


@pytest.mark.parametrize(
    ("amount", "inside"), [("37.99", False), ("38", True), ("42", True), ("42.01", False)]
)
def test_the_edges_belong_to_the_band(amount, inside):
    assert settings().fixed_goal.band.holds(Decimal(amount)) is inside


@pytest.mark.parametrize("kind", ["relative", "points", "quote_amount"])
@pytest.mark.parametrize("value", ["0", "-0.05", "NaN", "Infinity"])
def test_a_threshold_is_above_zero(kind, value):
    with pytest.raises(ValueError, match="above"):
        Threshold(**{kind: Decimal(value)})


def test_a_fraction_is_under_the_whole():
    with pytest.raises(ValueError, match="under 100 %"):
        Threshold(relative=Decimal(1))


def test_an_amount_may_be_more_than_one():
    assert Threshold(quote_amount=Decimal(5)).in_quote(Decimal(40)) == 5


@pytest.mark.parametrize("target", ["0", "-40", "NaN", "Infinity", MAX_TARGET + 1])
def test_a_target_is_above_zero_and_bounded(target):
    with pytest.raises(ValueError, match="a target must be above"):
        settings(target=target)


def test_the_largest_target_is_allowed():
    assert settings(target=MAX_TARGET).fixed_goal.target == MAX_TARGET


@pytest.mark.parametrize("interval", [timedelta(), timedelta(milliseconds=999), timedelta(days=2)])
def test_an_interval_is_from_a_second_to_a_day(interval):
    with pytest.raises(ValueError, match="from 1 s to 1 day"):
        settings(interval=interval)


@pytest.mark.parametrize("interval", [timedelta(seconds=1), timedelta(days=1)])
def test_the_shortest_and_the_longest_interval_are_allowed(interval):
    assert settings(interval=interval).interval == interval


def test_an_account_trades_with_a_key_or_on_paper():
    connected, bare = account(), account(sealed_key=None, key_tail=None)

    assert connected.can_trade
    assert not bare.can_trade
    assert replace(bare, settings=settings(dry_run=True)).can_trade
