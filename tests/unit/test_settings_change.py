"""A proposal holds only while everything it was made for is so."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.accounts.account import Account
from engine.domain.accounts.risk_limits import Limits
from engine.domain.accounts.settings import Settings, TradingMode
from engine.domain.accounts.settings_change import SettingsPatch, difference
from engine.domain.market.balances import Counting
from engine.domain.market.pairs import USDT, Asset, Side, Symbol
from engine.domain.rebalancing.pending_change import PendingChange
from engine.domain.rebalancing.planner import MarketBuy, MarketSell
from engine.domain.targets.bands import ShareBand, Threshold
from engine.domain.targets.destination import Destination
from engine.domain.targets.pacing import Pacing
from engine.domain.targets.target import FixedUsdt
from engine.domain.targets.timing import Schedule, When
from engine.storage.serialization import from_json, to_json
from tests.builders import account, settings

D = Decimal
cents = st.decimals("0.01", "1000000", places=2)
all_settings = st.builds(
    Settings,
    target=st.builds(FixedUsdt, cents),
    threshold=st.builds(Threshold, quote_amount=cents),
    interval=st.integers(1, 86400).map(lambda s: timedelta(seconds=s)),
    symbol=st.sampled_from([Symbol("MNTLUSDT"), Symbol("ABCUSDT")]),
    counting=st.sampled_from(Counting),
    dry_run=st.booleans(),
    paused=st.booleans(),
    autonomy=st.sampled_from(TradingMode),
    bands=st.dictionaries(
        st.sampled_from([Asset("BTC"), Asset("ETH")]), st.just(ShareBand(D("0.45"), D("0.6")))
    ),
    destination=st.none() | st.sampled_from(Destination),
    pacing=st.sampled_from(
        [
            Pacing(),
            Pacing(cooldown=timedelta(minutes=30)),
            Pacing(schedule=Schedule((540,)), when=When.BOTH),
        ]
    ),
    protected=st.dictionaries(st.sampled_from([Asset("BTC"), USDT]), cents),
)
limits = st.builds(
    Limits,
    order=st.none() | cents,
    day=st.none() | cents,
    orders_per_hour=st.none() | st.integers(1, 60),
    move=st.none() | st.integers(1, 100).map(lambda n: D(n) / 100),
)
accounts = st.builds(
    lambda s, chosen, version: account(settings=s, limits=chosen, version=version),
    all_settings,
    limits,
    st.integers(1, 99),
)


def given_back(changed: Account, former: SettingsPatch) -> Account:
    wanted = former.for_settings()
    chosen = changed.limits if former.limits is None else former.limits
    return replace(changed, settings=replace(changed.settings, **wanted), limits=chosen)


@given(accounts, accounts)
def test_what_differed_brings_back_what_was(before: Account, after: Account):
    former, present = difference(before, after)
    restored = given_back(after, former)

    assert SettingsPatch.of(restored) == SettingsPatch.of(before)
    assert former.names == present.names
    assert present == former.now(after)
    assert PendingChange(wanted=former, found=present).holds(after)


@given(accounts, accounts)
def test_a_proposal_holds_for_nothing_else(one: Account, other: Account):
    proposal = PendingChange(
        wanted=SettingsPatch(), found=SettingsPatch.of(one), version=one.version
    )

    assert proposal.holds(one)
    same = SettingsPatch.of(one) == SettingsPatch.of(other) and one.version == other.version
    assert proposal.holds(other) is same


@given(accounts, st.sampled_from(Side), st.none() | cents)
def test_a_proposal_is_kept_as_it_is(one: Account, side: Side, amount: Decimal | None):
    proposal = PendingChange(
        wanted=SettingsPatch.of(one),
        found=SettingsPatch(target=FixedUsdt(D(1))),
        version=3,
        side=side,
        expected_quote=amount,
        in_panel=True,
    )

    assert from_json(to_json(proposal), PendingChange) == proposal


def test_going_back_to_real_money_pauses():
    assert SettingsPatch(dry_run=False).for_settings() == {"dry_run": False, "paused": True}
    assert SettingsPatch(dry_run=True).for_settings() == {"dry_run": True}
    assert SettingsPatch(interval_s=90).for_settings() == {"interval": timedelta(seconds=90)}


@pytest.mark.parametrize(
    ("order", "covered"),
    [
        (MarketBuy(D(100), D(1)), True),
        (MarketBuy(D(105), D(1)), True),
        (MarketBuy(D("105.01"), D(1)), False),
        (MarketBuy(D(1), D(1)), True),
        (MarketSell(D(1), D(100)), False),
    ],
)
def test_a_yes_is_good_for_the_same_order_or_less(order: Any, covered: bool):
    agreed = PendingChange(
        wanted=SettingsPatch(target=FixedUsdt(D(1))),
        found=SettingsPatch.of(account(settings=settings())),
        side=Side.BUY,
        expected_quote=D(100),
    )

    assert agreed.covers(order) is covered
    assert not replace(agreed, expected_quote=None).covers(order)
