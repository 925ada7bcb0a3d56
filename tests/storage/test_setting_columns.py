"""An account's target of any kind survives the database, and older code rests beside it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.accounts.settings import MAX_TARGET, Band, Settings
from engine.domain.market.pairs import USDT, Asset
from engine.domain.targets.bands import ShareBand, Threshold
from engine.domain.targets.destination import Destination
from engine.domain.targets.target import Basket, FixedUsdt, TokenWorth, UsdtRange, UsdtShare
from engine.storage.accounts.setting_columns import columns_for, settings_of
from engine.storage.models.accounts import AccountRow, ThresholdUnit
from tests.builders import settings

D = Decimal
BTC, ETH, MNTL = Asset("BTC"), Asset("ETH"), Asset("MNTL")
POINTS = Threshold(points=D("0.05"))
OTHERS = [
    replace(settings(), target=UsdtRange(low=D(35), high=D(50))),
    replace(settings(), target=UsdtRange(low=D(35))),
    replace(settings(), target=UsdtShare(D("25.5")), threshold=POINTS),
    replace(settings(), target=TokenWorth(MNTL, D(100))),
    replace(
        settings(),
        target=Basket.of([(BTC, 5), (ETH, 3), (USDT, 2)]),
        threshold=Threshold(points=D("0.05"), relative=D("0.25")),
        bands={BTC: ShareBand(D("0.45"), D("0.6"))},
        destination=Destination.EDGE,
        protected={BTC: D("0.5")},
    ),
    replace(settings(), target=Basket.of([(MNTL, 2), (BTC, 1)], fixed_quote=D(40))),
    replace(settings(), destination=Destination.HALF),
    replace(settings(), protected={MNTL: D(50000)}),
    replace(settings(), threshold=POINTS),
]
PLAIN = [settings(), settings(target="60.5", threshold=2, in_quote=True)]


def _row(wishes: Settings) -> AccountRow:
    return AccountRow(**columns_for(wishes))


@pytest.mark.parametrize("wishes", [*OTHERS, *PLAIN])
def test_settings_come_back_as_they_were(wishes: Settings):
    assert settings_of(_row(wishes)) == wishes


@pytest.mark.parametrize("wishes", PLAIN)
def test_what_older_columns_can_say_they_say(wishes: Settings):
    row = _row(wishes)

    assert row.targeting is None
    assert FixedUsdt(row.target) == wishes.target


@pytest.mark.parametrize("wishes", OTHERS)
def test_beside_another_target_the_older_columns_hold_every_balance_inside(wishes: Settings):
    row = _row(wishes)
    old = replace(
        settings(), target=FixedUsdt(row.target), threshold=Threshold(quote_amount=row.threshold)
    )

    assert row.threshold_unit is ThresholdUnit.QUOTE
    assert old.fixed_goal.band == Band(D(0), MAX_TARGET + 1)
