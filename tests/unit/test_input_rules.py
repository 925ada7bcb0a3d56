"""A refused value breaks one rule, and the refusal knows which."""

from collections.abc import Callable
from functools import partial

import pytest

from bot.parsing.alerts import parse_alerts, parse_warn
from bot.parsing.execution import parse_execution, parse_slippage
from bot.parsing.input_rules import InputRule
from bot.parsing.manual_trade import parse_trade
from bot.parsing.price_alerts import parse_price_alert
from bot.parsing.settings import (
    NotUnderstood,
    parse_counting,
    parse_deposits,
    parse_history_rows,
    parse_interval,
    parse_limits,
    parse_log_lines,
    parse_switch,
    parse_symbol,
    parse_target,
    parse_threshold,
)
from bot.parsing.slices import parse_trade_over_time
from bot.parsing.spans import parse_span
from bot.parsing.target_settings import (
    parse_any_threshold,
    parse_bands,
    parse_cooldown,
    parse_crash_guard,
    parse_destination,
    parse_protect,
    parse_schedule,
)
from bot.parsing.targets import LONGEST_TARGET, parse_any_target
from engine.domain.market.pairs import Side
from tests.builders import MNTLUSDT

REFUSED: list[tuple[Callable[[str], object], dict[InputRule, list[str]]]] = [
    (
        parse_target,
        {
            InputRule.ABOVE_ZERO: ["0", "0.00", "-5", "-5 USDT", "$-5", "\u22125"],
            InputRule.TWO_DECIMALS: ["40.005", "0,005"],
            InputRule.IN_FULL: ["1e3", "1E+3 USDT", "40k", "2 M"],
            InputRule.NO_PERCENTAGE: ["50%"],
            InputRule.MOST_USDT: ["1000000000.01", "99999999999", "9" * 20],
            InputRule.IN_USDT: ["40 EUR", "€40", "EUR 40", "40 рублей"],
            InputRule.NUMBER: ["forty", "4 0", "NaN", "..", "∞", "1_000", "４0"],
            InputRule.LENGTH: ["9" * 41],
            InputRule.FORM: ["", " "],
        },
    ),
    (
        parse_threshold,
        {
            InputRule.ABOVE_ZERO: ["0", "0%", "-5%", "0 USDT"],
            InputRule.UNDER_100_PERCENT: ["100%", "5000%", f"{10**14}%"],
            InputRule.TWO_DECIMALS: ["0.001%", "0.001 USDT"],
            InputRule.IN_FULL: ["1e3"],
            InputRule.NUMBER: ["a little"],
        },
    ),
    (
        parse_interval,
        {
            InputRule.INTERVAL: ["0", "-1", "25h", "86401", "99999h"],
            InputRule.WHOLE_TIMES: ["1.5h", "2,5 m"],
            InputRule.TIME_SPAN: ["2 days", "30m 1h", "soon"],
        },
    ),
    (
        parse_symbol,
        {
            InputRule.AGAINST_USDT: ["MNTL/BTC", "MNTLUSDC"],
            InputRule.OTHER_THAN_USDT: ["USDT", "USDTUSDT"],
            InputRule.ASSET_NAME: ["<b>", "A" * 17, "/USDT"],
        },
    ),
    (parse_counting, {InputRule.HELD_OR_FREE: ["all"]}),
    (parse_switch, {InputRule.ON_OR_OFF: ["yes"]}),
    (parse_history_rows, {InputRule.ROWS: ["0", "21", "x"]}),
    (parse_span, {InputRule.SPAN: ["x", "7", "-7d", "2026-02-30", "26-02-01", "1 year"]}),
    (parse_log_lines, {InputRule.LOG_LINES: ["0", "101", "1.5"]}),
    (
        parse_limits,
        {
            InputRule.LIMIT_NAME: ["500", "week 5"],
            InputRule.LIMIT_VALUE: ["order", "price "],
            InputRule.ABOVE_ZERO: ["order 0", "day -5"],
            InputRule.NO_PERCENTAGE: ["order 5%"],
            InputRule.ORDERS_PER_HOUR: ["hour 0", "hour 3601", "hour 1.5"],
            InputRule.PRICE_MOVE: ["price 0.5%", "price 101%", "price 0"],
            InputRule.PERCENTAGE: ["price 5 USDT"],
            InputRule.TWO_DECIMALS: ["price 15.001%"],
        },
    ),
    (
        parse_alerts,
        {
            InputRule.ALERT_PART: ["x"],
            InputRule.ALERT_LEVEL: ["trade", "trade loud"],
            InputRule.YES_OR_NO: ["through maybe"],
            InputRule.LIGHT_OR_DARK: ["pictures", "pictures grey"],
            InputRule.ABOVE_ZERO: ["smallest -5"],
            InputRule.MOST_SMALLEST: ["smallest 9999999"],
            InputRule.TWO_TIMES: ["quiet", "quiet 23:00"],
            InputRule.TIMES_DIFFER: ["quiet 07:00-07:00"],
            InputRule.TIME_OF_DAY: ["quiet 24:00-07:00", "digest 8", "weekly mon 25:00"],
            InputRule.WEEKDAY: ["weekly", "weekly t 08:00", "weekly monda8 8"],
        },
    ),
    (
        parse_deposits,
        {
            InputRule.DEPOSIT_CHOICE: ["sell", "now 5m"],
            InputRule.DEPOSIT_WAIT: ["wait 10s", "wait 25h", "wait soon", "waiting"],
        },
    ),
    (parse_execution, {InputRule.EXECUTION_MODE: ["make", "limit"]}),
    (parse_slippage, {InputRule.SLIPPAGE: ["1", "0%", "21%", "1% hard", "0.001%", "one"]}),
    (
        partial(parse_trade, side=Side.SELL, pair=MNTLUSDT),
        {InputRule.MOST_PERCENT: ["101%"]},
    ),
    (
        partial(parse_trade_over_time, side=Side.SELL, pair=MNTLUSDT),
        {InputRule.TRADE_SPAN: ["5 USDT over", "5 USDT over 9m", "5 USDT over 25h"]},
    ),
    (
        parse_any_target,
        {
            InputRule.FORM: ["", " "],
            InputRule.TARGET_LENGTH: ["BTC 50 " * LONGEST_TARGET],
            InputRule.ABOVE_ZERO: ["0", "0%", "-5", "MNTL 0", "BTC:ETH 0:0", ">=0"],
            InputRule.UNDER_100_PERCENT: ["100%", "USDT 100%"],
            InputRule.TWO_DECIMALS: ["40.005", "BTC 33.333% ETH 66.667%", "MNTL 0.001"],
            InputRule.DIGITS: ["BTC 9999999999999 ETH 1"],
            InputRule.IN_FULL: ["40k", "1e3"],
            InputRule.NUMBER: ["forty", "BTC", "BTC 50 ETH", "35 50"],
            InputRule.MOST_PERCENT: ["MNTL 101%"],
            InputRule.MOST_USDT: ["MNTL 1000000000.01"],
            InputRule.ASSET_NAME: ["<b> 100", "BTC:7 1:1"],
            InputRule.AGAINST_USDT: ["MNTL/BTC 100"],
            InputRule.SUM_OF_100: ["40 USDT, rest MNTL 60 MX 30", "40, rest of it"],
            InputRule.PARTS_AND_NAMES: ["BTC:ETH 5:3:2", "5:3:2", "BTC:ETH 5"],
            InputRule.NAMED_TWICE: ["BTC 50 btc 50"],
            InputRule.ONLY_USDT: ["40, rest USDT"],
            InputRule.MOST_TOKENS: [
                ":".join(f"T{n}" for n in range(21)) + " " + ":".join(["1"] * 21)
            ],
            InputRule.USDT_ONCE: ["40 USDT, rest USDT:BTC 1:1"],
            InputRule.PART_SIZE: ["BTC:ETH 1000001:1"],
            InputRule.LOW_UNDER_HIGH: ["50..35", "40..40"],
            InputRule.CENTRE_INSIDE: ["60 in 35..50"],
        },
    ),
    (
        parse_any_threshold,
        {
            InputRule.POINTS_AND_PERCENT: ["5pp 5pp", "5% 2%"],
            InputRule.UNDER_100_PERCENT: ["100pp", "5pp 100%"],
            InputRule.ABOVE_ZERO: ["0pp"],
            InputRule.TWO_DECIMALS: ["0.001pp"],
        },
    ),
    (
        parse_bands,
        {
            InputRule.BAND: ["BTC", "45..60", "BTC 45", "BTC 45..60 ETH 20..30", "BTC -5..60"],
            InputRule.NAMED_TWICE: ["BTC 45..60, btc off"],
            InputRule.LOW_UNDER_HIGH: ["BTC 60..45", "BTC 45..45"],
            InputRule.MOST_PERCENT: ["BTC 45..101"],
            InputRule.TWO_DECIMALS: ["BTC 45.001..60"],
            InputRule.NUMBER: ["BTC 45,5..60", "BTC 1..1,000"],
            InputRule.ASSET_NAME: ["<b> 45..60"],
        },
    ),
    (parse_destination, {InputRule.DESTINATION: ["middle", "50%"]}),
    (parse_protect, {InputRule.WARNING_AMOUNT: ["MNTL"], InputRule.ABOVE_ZERO: ["MNTL 0"]}),
    (parse_cooldown, {InputRule.COOLDOWN: ["30", "0m", "8d", "soon"]}),
    (
        parse_schedule,
        {
            InputRule.SCHEDULE: ["mon", "24:00", "9", "09:00 sometimes", "always", "off 09:00"],
            InputRule.MOST_TIMES: [" ".join(f"0:{n:02}" for n in range(25))],
        },
    ),
    (
        parse_crash_guard,
        {
            InputRule.CRASH_GUARD: ["20% stop", "20% for ever", "-5%", "20% for 8000d"],
            InputRule.UNDER_100_PERCENT: ["100%"],
            InputRule.ABOVE_ZERO: ["0%"],
        },
    ),
    (
        parse_price_alert,
        {
            InputRule.MOVE_MISSING: ["MNTL"],
            InputRule.MOVE: ["MNTL 0.5%", "MNTL 101%"],
            InputRule.TWO_DECIMALS: ["MNTL 5.125%"],
            InputRule.OTHER_THAN_USDT: ["USDT 10%"],
            InputRule.ASSET_NAME: ["<b> 10%", "10%", "off"],
            InputRule.NUMBER: ["MNTL much"],
        },
    ),
    (
        parse_warn,
        {
            InputRule.WARNING_AMOUNT: ["MNTL"],
            InputRule.ABOVE_ZERO: ["MNTL 0", "MNTL -5"],
            InputRule.ASSET_NAME: ["<b> 5"],
            InputRule.DIGITS: ["MNTL 9999999999999"],
        },
    ),
]


@pytest.mark.parametrize(
    ("parse", "text", "rule"),
    [
        (parse, text, rule)
        for parse, rules in REFUSED
        for rule, texts in rules.items()
        for text in texts
    ],
)
def test_a_refusal_names_the_rule_that_was_broken(
    parse: Callable[[str], object], text: str, rule: InputRule
):
    with pytest.raises(NotUnderstood) as refused:
        parse(text)

    assert refused.value.rule is rule


def test_each_rule_is_broken_by_something():
    assert {rule for _, rules in REFUSED for rule in rules} == set(InputRule)
