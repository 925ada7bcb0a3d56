"""Typed values: understood exactly, asked about, or refused. Never guessed."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.parsing.settings import (
    Ambiguous,
    NotUnderstood,
    Topic,
    parse_counting,
    parse_history_rows,
    parse_interval,
    parse_log_lines,
    parse_switch,
    parse_symbol,
    parse_target,
    parse_threshold,
)
from engine.domain.accounts.settings import MAX_TARGET
from engine.domain.market.balances import Counting
from engine.domain.targets.bands import Threshold

PARSERS: list[Callable[[str], object]] = [
    parse_target,
    parse_threshold,
    parse_interval,
    parse_symbol,
    parse_switch,
    parse_counting,
    parse_history_rows,
    parse_log_lines,
]
NONSENSE = [
    "NaN",
    "1e400",
    "４0",
    "1_000",
    "9" * 5000,
    "-1",
    "∞",
    "forty",
    "4 0",
    "0x10",
    "..",
    ",",
]


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("40", "40"),
        (" 40 USDT ", "40"),
        ("40usdt", "40"),
        ("$40", "40"),
        ("40$", "40"),
        ("40.5", "40.5"),
        ("40.50", "40.50"),
        ("0,5", "0.5"),
        ("1,000.50", "1000.50"),
        ("1.000,50", "1000.50"),
        ("1,000,000", "1000000"),
        ("1000000000", "1000000000"),
    ],
)
def test_a_target_is_understood(text: str, target: str):
    assert parse_target(text) == Decimal(target)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("1,000", ("1000 USDT", "1 USDT")),
        ("1.000", ("1000 USDT", "1 USDT")),
        ("1.500 USDT", ("1500 USDT", "1.5 USDT")),
        ("40,5", ("40.5 USDT",)),
        ("40,125", ("40125 USDT",)),
    ],
)
def test_a_target_that_means_two_things_is_asked_about(text: str, options: tuple[str, ...]):
    assert parse_target(text) == Ambiguous(Topic.TARGET, options)


@pytest.mark.parametrize("text", [*NONSENSE, "", "0", "0.00", "40.125", "5%", "1000000000.01"])
def test_a_target_that_is_none_is_refused(text: str):
    with pytest.raises(NotUnderstood) as refused:
        parse_target(text)

    assert refused.value.topic is Topic.TARGET


@pytest.mark.parametrize(
    ("text", "threshold"),
    [
        ("5%", Threshold(relative=Decimal("0.05"))),
        ("5 %", Threshold(relative=Decimal("0.05"))),
        ("0.5%", Threshold(relative=Decimal("0.005"))),
        ("0,5%", Threshold(relative=Decimal("0.005"))),
        ("99.99%", Threshold(relative=Decimal("0.9999"))),
        ("2 USDT", Threshold(quote_amount=Decimal(2))),
        ("2usdt", Threshold(quote_amount=Decimal(2))),
        ("$2", Threshold(quote_amount=Decimal(2))),
        ("0.05 USDT", Threshold(quote_amount=Decimal("0.05"))),
    ],
)
def test_a_threshold_is_understood(text: str, threshold: Threshold):
    assert parse_threshold(text) == threshold


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("5", ("5%", "5 USDT")),
        ("0.05", ("5%", "0.05 USDT")),
        ("0,05", ("5%", "0.05 USDT")),
        ("150", ("150 USDT",)),
        ("2,5%", ("2.5%",)),
        ("1,000 USDT", ("1000 USDT", "1 USDT")),
    ],
)
def test_a_threshold_that_means_two_things_is_asked_about(text: str, options: tuple[str, ...]):
    assert parse_threshold(text) == Ambiguous(Topic.THRESHOLD, options)


@pytest.mark.parametrize(
    "text", [*NONSENSE, "", "0", "0%", "100%", "5000%", "0 USDT", "0.001%", "5%%", "5% USDT"]
)
def test_a_threshold_that_is_none_is_refused(text: str):
    with pytest.raises(NotUnderstood):
        parse_threshold(text)


@given(st.decimals(min_value="0.01", max_value=MAX_TARGET, places=2))
def test_every_option_is_itself_understood_without_a_question(amount: Decimal):
    for text in (f"{amount:f}", f"{amount:f}".replace(".", ","), f"{amount:,.0f}"):
        for parse in (parse_target, parse_threshold):
            parsed = understood(parse, text)
            if isinstance(parsed, Ambiguous):
                assert parsed.options
                for option in parsed.options:
                    assert not isinstance(parse(option), Ambiguous)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5),
        ("120", 120),
        ("120s", 120),
        ("90 sec", 90),
        ("2m", 120),
        ("2 min", 120),
        ("1h", 3600),
        ("1h 30m", 5400),
        ("1h30m5s", 5405),
        ("1", 1),
        ("24h", 86400),
        ("86400", 86400),
    ],
)
def test_an_interval_is_understood(text: str, seconds: int):
    assert parse_interval(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", [*NONSENSE, "", "0", "86401", "25h", "1.5h", "30m 1h", "99999h"])
def test_an_interval_that_is_none_is_refused(text: str):
    with pytest.raises(NotUnderstood):
        parse_interval(text)


@pytest.mark.parametrize(
    "text", ["MNTLUSDT", "MNTL", "mntl", "mntl/usdt", "mntl-usdt", "MNTL_USDT", "MNTL / USDT"]
)
def test_a_pair_is_understood_however_it_is_written(text: str):
    assert parse_symbol(text) == "MNTLUSDT"


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("币安人生", "币安人生USDT"),
        ("币安人生/usdt", "币安人生USDT"),
        ("币安人生USDT", "币安人生USDT"),
        ("ÉTÉ", "ÉTÉUSDT"),
        ("E\u0301te", "ÉteUSDT"),
        ("ＭＮＴＬUSDT", "MNTLUSDT"),
        ("mıtl", "mıtlUSDT"),
        ("$wif", "$WIFUSDT"),
        ("🐸", "🐸USDT"),
        ("币" * 8, "币币币币币币币币USDT"),
    ],
)
def test_a_pair_of_another_alphabet_is_kept_as_it_is_written(text: str, symbol: str):
    assert parse_symbol(text) == symbol


@pytest.mark.parametrize(
    "text",
    [
        "",
        "USDT",
        "USDTUSDT",
        "MNTLUSDC",
        "MNTL/USDC",
        "MNTL/BTC",
        "MNTL;DROP",
        "MNTL–USDT",
        "MN\u202eTL",
        "币" * 9,
        "é" * 25,
        "A" * 17,
        "A" * 5000,
        "<b>",
        "/USDT",
        "MN\ud83d",
    ],
)
def test_a_pair_that_is_none_is_refused(text: str):
    with pytest.raises(NotUnderstood):
        parse_symbol(text)


def test_a_token_may_be_another_dollar():
    assert parse_symbol("USDC") == "USDCUSDT"


def test_switches_and_counting_take_two_words_each():
    assert parse_switch("on") is True
    assert parse_switch(" OFF ") is False
    assert parse_counting("held") is Counting.HELD
    assert parse_counting("Free") is Counting.FREE
    with pytest.raises(NotUnderstood):
        parse_switch("yes")
    with pytest.raises(NotUnderstood):
        parse_counting("all")


def test_sizes_have_a_default_and_a_limit():
    assert parse_history_rows("") == 5
    assert parse_history_rows("20") == 20
    assert parse_log_lines(" ") == 20
    assert parse_log_lines("100") == 100
    for parse, text in (
        (parse_history_rows, "21"),
        (parse_log_lines, "0"),
        (parse_log_lines, "x"),
    ):
        with pytest.raises(NotUnderstood):
            parse(text)


@given(st.text(max_size=60), st.sampled_from(PARSERS))
def test_any_text_is_understood_or_refused(text: str, parse: Callable[[str], object]):
    understood(parse, text)


def understood(parse: Callable[[str], object], text: str) -> object:
    try:
        return parse(text)
    except NotUnderstood:
        return None
