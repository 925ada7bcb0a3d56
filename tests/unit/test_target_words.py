"""A target in words: one line for cards and lists, whole sentences, and what it means a fact a line."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.views.components.target_facts import leg_reason_text, leg_text
from bot.views.components.target_words import target_line, target_sentences, widths_line
from engine.domain.market.pairs import USDT, Asset, Side
from engine.domain.portfolio.plan import Leg
from engine.domain.portfolio.position import LegReason
from engine.domain.targets.scaling import Widths
from engine.domain.targets.target import (
    Basket,
    FixedUsdt,
    Target,
    TokenWorth,
    UsdtRange,
    UsdtShare,
)
from tests import builders
from tests.builders import MNTL
from tests.fakes.clock import START

D = Decimal
BTC, ETH, MX = (Asset(name) for name in ("BTC", "ETH", "MX"))


@pytest.mark.parametrize(
    ("target", "line"),
    [
        (FixedUsdt(D(40)), "40.00 USDT"),
        (UsdtRange(low=D(35), high=D(50)), "35.00 – 50.00 USDT"),
        (UsdtRange(low=D(35), high=D(50), centre=D(40)), "40.00 in 35.00 – 50.00 USDT"),
        (UsdtRange(low=D(35)), "at least 35.00 USDT"),
        (UsdtRange(high=D(50)), "at most 50.00 USDT"),
        (UsdtShare(D("12.5")), "12.5% in USDT"),
        (TokenWorth(MNTL, D(100)), "MNTL worth 100.00 USDT"),
        (Basket.of([(BTC, 5), (ETH, 3), (USDT, 2)]), "BTC 50%, ETH 30%, USDT 20%"),
        (Basket.of([(BTC, 1), (ETH, 1), (MX, 1)]), "BTC 1, ETH 1, MX 1"),
        (Basket.of([(MNTL, 1)], fixed_quote=D(40)), "40.00 USDT, the rest MNTL"),
        (
            Basket.of([(MNTL, 2), (MX, 1)], fixed_quote=D(40)),
            "40.00 USDT, of the rest MNTL 2, MX 1",
        ),
    ],
)
def test_each_kind_of_target_has_one_line_and_whole_sentences(target: Target, line: str):
    assert target_line(target) == line
    for sentence in target_sentences(target, token=MNTL):
        assert sentence.endswith(".")


def test_a_long_basket_is_one_line_too():
    many = Basket.of([(Asset(f"T{number}"), 1) for number in range(20)])

    assert target_line(many) == "T0 5%, T1 5%, T2 5%, T3 5% and 16 more"


def test_names_of_the_exchange_are_escaped_in_sentences():
    target = TokenWorth(Asset("<b>"), D(5))

    assert target_sentences(target, token=MNTL) == [
        "I hold &lt;b&gt; worth 5.00 USDT. The rest is USDT."
    ]


def test_a_leg_and_a_reason_are_words():
    assert leg_text(Leg(asset=BTC, side=Side.BUY, quote_amount=D(50))) == "buy BTC for 50.00 USDT"
    assert len({leg_reason_text(BTC, reason) for reason in LegReason}) == len(LegReason)


def test_bands_that_follow_volatility_are_told_by_how_much():
    basket = Basket.of([(Asset("BTC"), 2), (Asset("ETH"), 1), (USDT, 1)])
    settings = replace(builders.settings(), target=basket, scaled=True)
    account = builders.account(settings=settings)

    def said(btc: str, eth: str) -> str | None:
        factors = {Asset("BTC"): Decimal(btc), Asset("ETH"): Decimal(eth)}
        return widths_line(replace(account, widths=Widths(until=START, factors=factors)))

    assert said("1.31", "1.29") == "Bands are 1.3 times as wide today. (/bands)"
    assert said("1.3", "0.8") == "Bands are 1.3 times as wide today for BTC, 0.8 for ETH. (/bands)"
    assert widths_line(replace(account, settings=replace(settings, scaled=False))) is None
