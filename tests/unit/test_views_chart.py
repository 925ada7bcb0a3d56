"""`/chart`: what its captions say, alone, and that they agree with the pictures."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bot.interaction.callback_data import ChartKind, ChartPage
from bot.interaction.message import Message
from bot.views.chart import (
    Picture,
    chart_view,
    no_chart_view,
    no_drift_view,
    not_drawn_view,
    unknown_chart_view,
)
from bot.views.charts.theme import Theme, palette
from engine.accounts.profit import NoReport, SpanReport
from engine.domain.accounts.account import Account
from engine.domain.accounts.band_history import PastBand
from engine.domain.accounts.settings import Band
from engine.domain.market.pairs import USDT, Asset, Side
from engine.domain.orders.order import ClientOrderId
from engine.domain.profit.entries import Doubt, Flow, FlowKind
from engine.domain.profit.points import ValuePoint
from engine.domain.profit.report import ProfitReport
from engine.domain.profit.spans import Span
from engine.domain.profit.worths import TradeWorth
from engine.domain.targets.bands import Threshold
from engine.domain.targets.target import Basket, Target, TokenWorth, UsdtRange, UsdtShare
from tests.builders import MNTL, account, settings
from tests.fakes.clock import START
from tests.unit.phone import check_message

D = Decimal
HOUR = timedelta(hours=1)


def trade(hour: int, side: Side) -> TradeWorth:
    amounts = [D(8000), D(16), D("0.01"), D("0.02"), D("0.5")]
    return TradeWorth(ClientOrderId(f"o{hour}"), START + hour * HOUR, side, *amounts)


def report(**changes: Any) -> ProfitReport:
    """A week: 40 USDT and 100,000 tokens at 0.002, of which some are bought and sold; 50 USDT come."""
    points = [
        ValuePoint(
            START + hour * HOUR,
            D("0.002"),
            D(40) if hour != 100 else D(57),
            D(100_000),
            D("240.5") + (50 if hour > 120 else 0),
        )
        for hour in range(169)
    ]
    whole: dict[str, Any] = {
        "since": START,
        "until": START + 168 * HOUR,
        "start": D(190),
        "now": D(240),
        "deposits": D(50),
        "fee_flows": D(0),
        "held": D("239.25"),
        "returned": D("0.0123"),
        "held_returned": D("-0.02"),
        "drawdown": D("0.1"),
        "points": points,
        "trades": [trade(20, Side.BUY), trade(50, Side.SELL), trade(60, Side.SELL)],
        "flows": [
            Flow(START + 120 * HOUR, USDT, D(50), FlowKind.MOVED, None),
            Flow(START + 121 * HOUR, USDT, D("0.02"), FlowKind.FEE, None),
        ],
        "results": [],
        "doubts": frozenset[Doubt](),
        "holdings": {USDT: (D(40), D(1)), MNTL: (D(100_000), D("0.002"))},
    }
    whole |= changes
    came = whole["start"] + whole["deposits"] + whole["fee_flows"]
    return ProfitReport(
        **whole,
        made=whole["now"] - came,
        held_made=whole["held"] - came,
        brought=whole["now"] - whole["held"],
        turnover=sum((one.quote for one in whole["trades"]), D(0)),
        fees=sum((one.fee for one in whole["trades"]), D(0)),
        slippage=sum((one.slippage or D(0) for one in whole["trades"]), D(0)),
        bought=sum(one.side is Side.BUY for one in whole["trades"]),
        sold=sum(one.side is Side.SELL for one in whole["trades"]),
    )


def picture(
    kind: ChartKind,
    found: ProfitReport | None = None,
    *,
    priced_now: bool = True,
    refused: bool = False,
    key: bool = True,
    bands: Sequence[PastBand] = (),
    of: Account | None = None,
) -> Picture:
    settings = account().settings
    return chart_view(
        account=of or (account() if key else account(sealed_key=None, key_tail=None)),
        found=SpanReport(found or report(), START, priced_now, refused),
        bands=bands or [PastBand(START, settings.fixed_goal.target, settings.fixed_goal.band)],
        page=ChartPage(kind, Span.WEEK),
        theme=Theme.DARK,
    )


def said(message: Message) -> list[str]:
    lines = check_message(message).splitlines()
    assert len(lines) <= 8
    assert len("\n".join(lines)) <= 1024  # the longest caption
    return lines


def drawn(picture: Picture) -> set[str]:
    root = ET.fromstring(picture.svg)  # noqa: S314 - our own
    return {part.strip() for element in root for part in element.itertext()}


def test_the_caption_of_the_value_says_all_that_the_picture_shows():
    shown = picture(ChartKind.VALUE)

    assert said(shown.caption)[1:] == [
        "240.00 USDT now, 190.00 USDT at the start.",
        "+50.00 USDT is deposits less withdrawals.",
        "0.00 USDT was made (+1.2%).",
        "Only holding would have made -0.75 USDT (-2.0%).",
        "Trading brought +0.75 USDT, after fees.",
        "1 purchase and 2 sales, 48.00 USDT in all.",
    ]
    assert said(shown.caption)[0].endswith("LIVE · Value, 7 days · /chart")
    assert {"240.00 USDT", "+1.2%", "+50 deposit", "bought 1", "sold 2"} <= drawn(shown)
    assert "7 days · only holding −2.0%" in drawn(shown)


def test_a_loss_is_called_one_and_has_its_colour():
    found = report(start=D(200), deposits=D(50), returned=D("-0.05"), trades=[], flows=[])
    shown = picture(ChartKind.VALUE, found)

    assert "10.00 USDT was lost (-5.0%)." in said(shown.caption)
    assert "No trade in this time." in said(shown.caption)
    assert f'fill="{palette(Theme.DARK).loss}"' in shown.svg
    assert "against only holding" not in drawn(shown)


@pytest.mark.parametrize(
    ("changes", "priced_now", "line"),
    [
        ({"doubts": frozenset({Doubt.FEES_UNKNOWN})}, True, "About: not every fee"),
        ({}, False, "MEXC does not answer. I count the last price that I know."),
    ],
)
def test_what_is_about_is_called_so(changes, priced_now, line):
    for kind in (ChartKind.VALUE, ChartKind.HOLDINGS):
        shown = picture(kind, report(**changes), priced_now=priced_now)

        assert said(shown.caption)[-1].startswith(line)


def test_a_token_that_is_not_traded_any_more_and_a_key_that_is_gone_are_said():
    delisted = picture(ChartKind.VALUE, priced_now=False, refused=True)

    assert said(delisted.caption)[-1].startswith("MEXC names no price of MNTL now.")
    for kind in ChartKind:
        shown = picture(kind, priced_now=False, key=False)
        assert said(shown.caption)[-1] == (
            "This chat has no key. I count the coins and the price that I last saw."
        )


def test_the_caption_of_the_drift_says_how_long_the_usdt_was_inside():
    shown = picture(ChartKind.DRIFT)

    assert said(shown.caption)[1:] == [
        "40.00 USDT now, target 40.",
        "38.00 – 42.00 USDT is the band now.",
        "99% of the time your USDT was inside the band.",
        "1 purchase and 2 sales, 48.00 USDT in all.",
    ]
    assert {"target 40", "· inside the band 99% of the time", "57", "outside"} <= drawn(shown)

    late = picture(ChartKind.DRIFT, report(doubts=frozenset({Doubt.UNEXPLAINED})))
    assert said(late.caption)[-1] == "About: not every deposit and order is known exactly."


def test_the_usdt_of_another_day_is_held_against_the_band_of_that_day():
    settings = account().settings
    once = PastBand(START, D(57), Band(D(50), D(64)))
    now = PastBand(START + 84 * HOUR, settings.fixed_goal.target, settings.fixed_goal.band)
    changed = picture(ChartKind.DRIFT, bands=[once, now])
    forgotten = picture(ChartKind.DRIFT, bands=[now])

    assert said(changed.caption)[3:5] == [
        "It changed once. The picture shows the old one, too.",
        "49% of the time your USDT was inside the band.",
    ]
    assert said(forgotten.caption)[3:5] == [
        "I do not know the band before 26 Nov. It is not drawn.",
        "98% of the time your USDT was inside the band.",
    ]
    bands = [picture.svg.count('fill-opacity="0.45"') for picture in (changed, forgotten)]
    assert bands == [2, 1]


def test_where_the_percents_are_a_gain_and_the_money_is_a_loss_only_the_money_is_shown():
    late = report(start=D(200), returned=D("0.02"))

    shown = picture(ChartKind.VALUE, late)

    assert "10.00 USDT was lost." in said(shown.caption)
    assert {"−10.00 USDT", "7 days · only holding −10.75"} <= drawn(shown)


def test_the_caption_of_the_holdings_says_what_each_is_worth():
    shown = picture(ChartKind.HOLDINGS)

    assert said(shown.caption)[1:] == [
        "240.00 USDT in all.",
        "200.00 USDT is 100,000 MNTL (83.3%).",
        "40.00 USDT is USDT (16.7%); target 40.",
        "38.00 – 42.00 USDT is the band.",
        "Other tokens of the account are not counted.",
    ]
    assert {"MNTL", "83.3%", "200.00 USDT", "16.7%"} <= drawn(shown)


def test_a_young_account_says_since_when():
    found = report(since=START + 160 * HOUR)

    lines = said(picture(ChartKind.VALUE, found).caption)
    assert lines[0].endswith("Value, since 29 Nov · /chart")
    assert lines[1] == "240.00 USDT now, 190.00 USDT when my records begin."
    assert "My records begin then. I know nothing of before." in said(
        picture(ChartKind.DRIFT, found).caption
    )


def test_an_empty_account_has_its_pictures():
    nothing = [ValuePoint(START, D(0), D(0), D(0), D(0))]
    found = report(
        points=nothing,
        since=START,
        until=START,
        returned=None,
        held_returned=None,
        trades=[],
        flows=[],
    )
    for kind in ChartKind:
        assert said(picture(kind, found).caption)


BTC, ETH, MX = Asset("BTC"), Asset("ETH"), Asset("MX")
HELD = {
    USDT: (D(190), D(1)),
    BTC: (D("0.004"), D(100_000)),
    ETH: (D("0.05"), D(4000)),
    MX: (D(100), D("2.1")),
}


def of_target(target: Target, threshold: str = "0.1", **wishes: Any) -> Account:
    whole = Threshold(relative=D(threshold))
    return account(settings=replace(settings(), target=target, threshold=whole, **wishes))


def test_a_basket_is_drawn_with_the_part_and_the_band_of_each_token():
    basket = of_target(Basket.of([(BTC, 4), (ETH, 2), (MX, 2), (USDT, 2)]))
    shown = picture(ChartKind.HOLDINGS, replace(report(), holdings=HELD), of=basket)

    assert said(shown.caption) == [
        "🟢 LIVE · Holdings now · /chart",
        "1,000.00 USDT in all, all inside their bands.",
        "BTC: 400.00 USDT (40%); band 36% – 44%.",
        "MX: 210.00 USDT (21%); band 18% – 22%.",
        "ETH: 200.00 USDT (20%); band 18% – 22%.",
        "USDT: 190.00 USDT (19%); band 18% – 22%.",
        "Other tokens of the account are not counted.",
    ]
    assert drawn(shown) >= {"BTC", "ETH", "MX", "USDT", "· all inside their bands", "21%"}


def test_parts_outside_are_said_and_what_is_protected_is_left_out():
    basket = of_target(Basket.of([(BTC, 4), (ETH, 2), (MX, 2), (USDT, 2)]), protected={MX: D(50)})
    shown = picture(ChartKind.HOLDINGS, replace(report(), holdings=HELD), of=basket)

    assert said(shown.caption)[1] == "895.00 USDT in all, 3 outside their bands."
    assert said(shown.caption)[-1] == "Protected amounts are not counted."
    assert {"105.00 USDT", "outside"} <= drawn(shown)


def test_of_many_tokens_the_caption_names_the_largest():
    tokens = [Asset(f"T{number}") for number in range(9)]
    held = {USDT: (D(50), D(1))} | {t: (D(10 + n), D(1)) for n, t in enumerate(tokens)}
    basket = of_target(Basket.of([(token, 1) for token in tokens] + [(USDT, 3)]))
    shown = picture(ChartKind.HOLDINGS, replace(report(), holdings=held), of=basket)

    assert said(shown.caption)[5] == "7 more are in the picture."
    assert {str(token) for token in tokens} <= drawn(shown)


def test_an_asset_that_may_be_all_or_nothing_has_no_band():
    floor = of_target(UsdtRange(low=D(35)))
    shown = picture(ChartKind.HOLDINGS, of=floor)

    assert said(shown.caption)[2:4] == [
        "MNTL: 200.00 USDT (83.3%).",
        "USDT: 40.00 USDT (16.7%); from 35.00 USDT on.",
    ]
    worth = picture(ChartKind.HOLDINGS, of=of_target(TokenWorth(MNTL, D(195)), "0.05"))
    assert said(worth.caption)[2:4] == [
        "MNTL: 200.00 USDT (83.3%); band 185.25 USDT – 204.75 USDT.",
        "USDT: 40.00 USDT (16.7%).",
    ]


@pytest.mark.parametrize("target", [UsdtShare(D(25)), UsdtRange(high=D(50))])
def test_without_one_amount_of_usdt_there_is_no_drift_and_no_button_for_it(target: Target):
    of = of_target(target)
    told = no_drift_view(account=of, span=Span.WEEK)

    assert "no picture of the drift" in said(told)[1]
    for message in (told, picture(ChartKind.VALUE, of=of).caption):
        assert message.keyboard is not None
        assert [button.text.strip("· ") for button in message.keyboard.inline_keyboard[0]] == [
            "Value",
            "Holdings",
        ]
    assert not any(
        "drift" in line for line in said(unknown_chart_view(account=of, typed_text="x"))
    )


def test_the_buttons_lead_to_the_other_spans_and_pictures():
    keyboard = picture(ChartKind.DRIFT).caption.keyboard
    assert keyboard is not None
    labels = [[button.text for button in row] for row in keyboard.inline_keyboard]

    assert labels == [
        ["Value", "· Drift ·", "Holdings"],
        ["24h", "· 7d ·", "30d", "All"],
        ["Status"],
    ]
    assert keyboard.inline_keyboard[1][0].callback_data == "chart:drift:24h"


def test_words_are_left_where_nothing_can_be_drawn():
    full = picture(ChartKind.VALUE, report(doubts=frozenset({Doubt.PRICE_OLD}))).caption

    assert said(not_drawn_view(full))[-1] == "I could not draw the picture."
    assert not_drawn_view(full).keyboard == full.keyboard
    for why in NoReport:
        assert said(no_chart_view(account=account(), why=why))
        keyless = said(no_chart_view(account=account(sealed_key=None, key_tail=None), why=why))
        assert "has no key" in keyless[1]
        assert keyless[2] == "/connect adds your MEXC key."
    assert "“pie”" in said(unknown_chart_view(account=account(), typed_text="pie"))[0]


def test_a_trade_before_the_first_sample_does_no_harm():
    early = replace(report(), trades=[trade(-5, Side.BUY)])

    assert "bought 1" in drawn(picture(ChartKind.VALUE, early))
