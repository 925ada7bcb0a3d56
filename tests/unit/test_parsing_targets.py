"""Typed targets of every kind, and their way back to text."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.parsing.settings import Ambiguous, NotUnderstood
from bot.parsing.targets import parse_any_target
from engine.domain.market.pairs import USDT, Asset
from engine.domain.targets.notation import target_text, tokens_in
from engine.domain.targets.target import (
    Basket,
    FixedUsdt,
    Target,
    TokenWorth,
    UsdtRange,
    UsdtShare,
)

BTC, ETH, MNTL, MX = (Asset(name) for name in ("BTC", "ETH", "MNTL", "MX"))
FORTY = Decimal(40)
THREE = Basket(((BTC, 5), (ETH, 3), (USDT, 2)))
UNDERSTOOD: dict[Target, list[str]] = {
    FixedUsdt(FORTY): ["40", "40 USDT", "$40", "usdt 40", "USDT $40", " 40  usdt "],
    UsdtRange(low=Decimal(35), high=Decimal(50)): [
        *("35..50", "35..50 USDT", "$35..$50", "35 .. 50", "35...50", "35…50"),
    ],
    UsdtRange(low=Decimal(35), high=Decimal(50), centre=FORTY): ["40 in 35..50"],
    UsdtRange(low=Decimal(35)): [">=35", ">= 35 USDT", "≥35", "at least 35"],
    UsdtRange(high=Decimal(50)): ["<=50", "≤ $50", "at most 50 USDT"],
    UsdtShare(Decimal(25)): ["25%", "25 %", "25% USDT", "USDT 25%"],
    TokenWorth(MNTL, Decimal(100)): ["MNTL 100", "mntl 100 USDT", "MNTL $100", "MNTLUSDT 100"],
    Basket(((MNTL, 1),)): ["MNTL 100%"],
    Basket(((MNTL, 3), (USDT, 2))): ["MNTL 60%", "60% MNTL", "MNTL 60 USDT 40"],
    THREE: [
        *("BTC 50 ETH 30 USDT 20", "BTC 50%, ETH 30%, USDT 20%", "50 btc 30 eth 20 usdt"),
        *("BTC:ETH:USDT 5:3:2", "BTC: 50, ETH: 30, USDT: 20", "btc=50 eth=30 usdt=20"),
    ],
    Basket(((BTC, 1), (ETH, 1), (MX, 1))): ["BTC:ETH:MX 1:1:1", "BTC : ETH : MX 7 : 7 : 7"],
    Basket(((BTC, 333), (ETH, 667))): ["BTC 33.3 ETH 66.7"],
    Basket(((MNTL, 2), (MX, 1)), fixed_quote=FORTY): [
        *("40 USDT, rest MNTL:MX 2:1", "$40 rest MNTL:MX 2:1", "40, the rest in MNTL:MX 4:2"),
    ],
    Basket(((MNTL, 1),), fixed_quote=FORTY): ["40 USDT, rest MNTL"],
    Basket(((MNTL, 3), (MX, 2)), fixed_quote=FORTY): ["40 USDT, rest MNTL 60 MX 40"],
    Basket(((Asset("1INCH"), 1), (BTC, 1))): ["1INCH 50 BTC 50"],
}
ASKED: dict[str, tuple[str, ...]] = {
    "40,5": ("40.5 USDT",),
    "1,000": ("1000 USDT", "1 USDT"),
    "35-50": ("35..50",),
    "35 to 50": ("35..50",),
    ">35": (">=35",),
    "1.000..2.000": ("1000..2000", "1..2000", "1..2"),
    "100 MNTL": ("MNTL 100",),
    "BTC 50 ETH 30": ("BTC 50% ETH 30% USDT 20%", "BTC 62.5% ETH 37.5%"),
    "BTC 5 ETH 3 USDT 2": ("BTC 50% ETH 30% USDT 20%",),
    "BTC 60% ETH 60%": ("BTC 50% ETH 50%",),
    "MNTL 100 MX 50": ("MNTL:MX 2:1",),
    "BTC 33,3 ETH 66,7": ("BTC 33.3% ETH 66.7%",),
}


@pytest.mark.parametrize(
    ("text", "target"), [(text, t) for t, texts in UNDERSTOOD.items() for text in texts]
)
def test_every_kind_of_target_is_understood(text: str, target: Target):
    assert parse_any_target(text) == target


@pytest.mark.parametrize("target", UNDERSTOOD)
def test_the_tokens_of_a_target_are_read_back_from_its_text(target: Target):
    named = (target.asset,) if isinstance(target, TokenWorth) else ()

    assert tokens_in(target_text(target)) == (
        target.tokens if isinstance(target, Basket) else named
    )


@pytest.mark.parametrize(("text", "options"), ASKED.items())
def test_what_may_mean_something_else_is_asked_about(text: str, options: tuple[str, ...]):
    asked = parse_any_target(text)

    assert isinstance(asked, Ambiguous)
    assert asked.options == options
    for option in options:
        assert not isinstance(parse_any_target(option), Ambiguous)


def test_many_numbers_with_two_meanings_are_read_in_no_time():
    text = " ".join(f"T{n} 1,000" for n in range(30))

    with pytest.raises(NotUnderstood):
        parse_any_target(text)


def test_bare_parts_are_of_the_basket_that_there_is():
    assert parse_any_target("5:3:2", basket=[BTC, ETH, USDT]) == THREE
    with pytest.raises(NotUnderstood):
        parse_any_target("5:3:2")


def cents(most: int = 10**11) -> st.SearchStrategy[Decimal]:
    return st.integers(1, most).map(lambda number: Decimal(number).scaleb(-2))


_TOKENS = st.sampled_from(["BTC", "ETH", "MNTL", "MX", "1INCH", "币安人生"]).map(Asset)


@st.composite
def ranges(draw: st.DrawFn) -> UsdtRange:
    low, centre, high = sorted(draw(st.lists(cents(), min_size=3, max_size=3, unique=True)))
    shape = draw(st.integers(0, 3))
    return UsdtRange(
        low=None if shape == 0 else low,
        high=None if shape == 1 else high,
        centre=centre if shape == 2 else None,
    )


@st.composite
def baskets(draw: st.DrawFn) -> Basket:
    names = draw(st.lists(_TOKENS, min_size=1, max_size=6, unique=True))
    fixed = draw(st.none() | cents())
    if fixed is None and draw(st.booleans()):
        names.insert(draw(st.integers(0, len(names))), USDT)
    counts = draw(st.lists(st.integers(0, 10**6), min_size=len(names), max_size=len(names)))
    counts = counts if any(counts) else [1] * len(names)
    return Basket.of(zip(names, counts, strict=True), fixed_quote=fixed)


_TARGETS: st.SearchStrategy[Target] = (
    st.builds(FixedUsdt, cents())
    | ranges()
    | st.builds(UsdtShare, cents(9999))
    | st.builds(TokenWorth, _TOKENS, cents())
    | baskets()
)


@given(_TARGETS)
def test_the_text_of_a_target_means_exactly_that_target(target):
    assert parse_any_target(target_text(target)) == target


@given(_TARGETS, st.booleans())
def test_case_and_blanks_do_not_change_what_is_meant(target, is_lower):
    text = target_text(target)
    spaced = "  ".join((text.lower() if is_lower else text).split(" "))

    assert parse_any_target(spaced) == target


@given(st.text(st.sampled_from("BTC ETH USDT rest in 0123456789.,:%$><=…- "), max_size=40))
def test_any_text_is_a_target_a_question_or_a_refusal(text):
    try:
        meant = parse_any_target(text)
    except NotUnderstood:
        return

    texts = meant.options if isinstance(meant, Ambiguous) else (target_text(meant),)
    for option in texts:
        assert not isinstance(parse_any_target(option), Ambiguous)
