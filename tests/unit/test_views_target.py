"""A target in words: what it is, what it means before it is set, why it is not, and the builder."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bot.interaction.callback_data import BuildBasket, BuildStep, Confirm, decode
from bot.interaction.message import Message
from bot.views.basket_builder import builder_view, nothing_left_note, nothing_to_build_view
from bot.views.components.forecast import band_line
from bot.views.components.money_rows import quote_rows
from bot.views.target import (
    closed_pair_view,
    consequence_view,
    no_pair_view,
    no_price_view,
    not_read_view,
    points_to_view,
    refused_view,
    sells_whole_view,
    target_view,
)
from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.pairs import USDT, Asset, Symbol
from engine.domain.market.quotes import Quote, Quotes
from engine.domain.portfolio.consequence import (
    Consequence,
    NeverInside,
    OffCentre,
    consequence,
)
from engine.domain.portfolio.plan import MissingPrices, NothingManaged, PlanInputs
from engine.domain.targets.bands import BandSums, Threshold
from engine.domain.targets.destination import usual_destination
from engine.domain.targets.draft import Draft
from engine.domain.targets.goals import TargetSettings
from engine.domain.targets.target import (
    Basket,
    FixedUsdt,
    Target,
    UsdtRange,
    UsdtShare,
)
from engine.rebalancing.target_preview import TargetLook
from tests.builders import MNTL, account, rules, settings
from tests.fakes.clock import START
from tests.unit.phone import check_message

D = Decimal
BTC, ETH, MX = (Asset(name) for name in ("BTC", "ETH", "MX"))
BASKET = Basket.of([(BTC, 5), (ETH, 3), (USDT, 2)])
# The price, and what is held.
MARKET: dict[Asset, tuple[str, str, str]] = {
    MNTL: ("0.001999", "0.002001", "375000"),
    BTC: ("64999", "65001", "0.004"),
    ETH: ("2999.5", "3000.5", "0.1"),
}
RULES = {
    asset: rules(
        symbol=Symbol(asset + USDT),
        base=asset,
        quantity_step="1" if asset == MNTL else "0.000001",
        price_step="0.000001" if asset == MNTL else "0.01",
    )
    for asset in MARKET
}


def _targeting(target: Target) -> TargetSettings:
    return TargetSettings(target=target, threshold=Threshold(relative=D("0.05")), token=MNTL)


def _said(target: Target, *, usdt: str = "250", scale: str = "1") -> Consequence:
    held = {asset: Balance(D(held) * D(scale)) for asset, (_, _, held) in MARKET.items()}
    inputs = PlanInputs(
        settings=_targeting(target),
        destination=usual_destination(target),
        holdings=Holdings({USDT: Balance(D(usdt)), **held}, START),
        quotes=Quotes(
            {asset: Quote(D(bid), D(ask)) for asset, (bid, ask, _) in MARKET.items()}, START
        ),
        rules=RULES,
    )
    volatility = dict.fromkeys(MARKET, D("0.06"))
    found = consequence(inputs, now=START, daily_volatility=volatility)
    assert isinstance(found, Consequence)
    return found


def _card(target: Target, **more: Any) -> str:
    found = _said(target, **more)
    card = consequence_view(
        account=account(),
        wanted=target,
        look=TargetLook(rules=RULES, found=found, legs=found.plan.legs),
        confirmation_id="Ab1",
    )
    return check_message(card)


def test_a_share_is_shown_with_its_money_prices_and_cost_before_it_is_set():
    text = _card(UsdtShare(D(25)))

    assert text.splitlines() == [
        "🟢 LIVE · Set this target?",
        "25% in USDT",
        "",
        "        now → goal",
        "MNTL    750.00 → 750.00",
        "USDT    250.00 → 250.00",
        "",
        "The next check trades nothing.",
        "I trade when MNTL is under 0.001873 or over 0.00214.",
        "Likely cost: 0.20 USDT a month.",
        "",
        "Nothing changes before you tap Set, within 90 s. (/target)",
    ]


def test_a_basket_is_shown_with_its_first_trades():
    text = _card(BASKET, usdt="440")

    assert "BTC     260.00 → 500.00\nETH     300.00 → 300.00\nUSDT    440.00 → 200.00" in text
    assert "The next check trades: buy BTC for 234.91 USDT." in text
    assert "I trade when BTC is under" in text


def test_what_cannot_be_reached_is_said_before():
    small = _card(BASKET, usdt="4.40", scale="0.01")
    missing = _card(FixedUsdt(D(1300)))

    assert "⚠️ 10.00 USDT is too little for these bands. From " in small
    assert "⚠️ You have 1,000.00 USDT here. 300.00 USDT is missing: all becomes USDT." in missing
    assert "No price makes it trade, only USDT that comes or goes." in missing


def test_a_floor_says_its_edge_in_place_of_a_goal():
    assert "USDT    250.00 → at least 35.00\n" in _card(UsdtRange(low=D(35)))


@pytest.mark.parametrize(
    ("target", "when", "where"),
    [
        (
            UsdtRange(low=D(35)),
            "I trade when you hold under 35.00 USDT.",
            "A trade leads just inside of that.",
        ),
        (
            UsdtRange(high=D(50)),
            "I trade when you hold over 50.00 USDT.",
            "A trade leads just inside of that.",
        ),
        (
            UsdtRange(low=D(35), high=D(50)),
            "I trade when you hold under 35.00 or over 50.00 USDT.",
            "A trade leads to the target itself.",
        ),
    ],
)
def test_a_range_has_its_own_edges_and_no_threshold(target: UsdtRange, when: str, where: str):
    ranged = account(settings=replace(settings(), target=target))
    text = check_message(target_view(account=ranged, look=None))

    assert f"\n{when}\n{where}\n" in text
    assert "setthreshold" not in text
    assert band_line(ranged.settings) == when
    assert "±" not in "".join(quote_rows(ranged, None, None))


def test_the_facts_before_twenty_tokens_are_eight_lines():
    tokens = [Asset(f"T{number}") for number in range(19)]
    target = Basket.of([*((token, 5) for token in tokens), (USDT, 5)])
    inputs = PlanInputs(
        settings=TargetSettings(
            target=target, threshold=Threshold(relative=D("0.01")), token=MNTL
        ),
        destination=usual_destination(target),
        holdings=Holdings({USDT: Balance(D(1000))}, START),
        quotes=Quotes({token: Quote(D("0.99"), D("1.01")) for token in tokens}, START),
        rules={token: rules(symbol=Symbol(token + USDT), base=token) for token in tokens},
    )
    found = consequence(inputs, now=START, daily_volatility={})
    assert isinstance(found, Consequence)

    card = consequence_view(
        account=account(),
        wanted=target,
        look=TargetLook(rules=inputs.rules, found=found, legs=found.plan.legs),
        confirmation_id="Ab1",
        draft_id="Cd2",
    )

    facts = check_message(card).split("\n\n")[1:-1]
    assert sum(len(part.splitlines()) for part in facts) <= 8
    assert "17 more" in facts[0]
    assert "and 16 more, " in facts[1]
    assert _presses(card) == [Confirm("Ab1"), BuildBasket("Cd2", BuildStep.SHOW, 0)]


def test_bands_that_no_account_can_meet_are_refused_with_both_sums():
    low = refused_view(
        account=account(),
        wanted=_targeting(BASKET),
        why=NeverInside(BandSums(D("1.05"), D("1.4"))),
    )
    high = refused_view(
        account=account(),
        wanted=_targeting(BASKET),
        why=NeverInside(BandSums(D("0.6"), D("0.95"))),
    )

    assert "Their low edges add up to 105%. That must be 100% at most." in check_message(low)
    assert "The other edges add up to 140%." in low.text
    assert "Their high edges add up to 95%. That must be 100% at least." in check_message(high)


def test_a_band_without_its_weight_is_refused():
    text = check_message(
        refused_view(account=account(), wanted=_targeting(BASKET), why=OffCentre((BTC, MX)))
    )

    assert "The band of BTC does not hold its part of 50%." in text
    assert "MX has a band and no part of the target." in text


@pytest.mark.parametrize(
    "view",
    [
        no_price_view(account=account(), found=MissingPrices((BTC, Asset("<b>")))),
        not_read_view(account=account()),
        no_pair_view(account=account(), assets=[Asset("A&B")]),
        closed_pair_view(account=account(), symbols=[Symbol("MXUSDT")]),
        points_to_view(account=account(), option="25%", confirmation_id="Ab1"),
        sells_whole_view(account=account(), sold=[(ETH, D(300))], confirmation_id="Ab1"),
        consequence_view(
            account=account(),
            wanted=BASKET,
            look=TargetLook(rules=RULES, found=NothingManaged()),
            confirmation_id="Ab1",
        ),
        consequence_view(
            account=account(),
            wanted=BASKET,
            look=TargetLook(rules=RULES),
            confirmation_id="Ab1",
        ),
        target_view(account=account(), look=None),
        nothing_to_build_view(account=account()),
    ],
)
def test_every_other_answer_fits_a_phone(view: Message):
    check_message(view)


def _builder(draft: Draft, **more: Any) -> Message:
    values: dict[str, Any] = {
        "account": account(),
        "draft": draft,
        "offered": (BTC, ETH, MX),
        "worth": {BTC: D(260), ETH: D(300), USDT: D(440)},
        "step": 5,
        "draft_id": "Ab1",
    }
    return builder_view(**(values | more))


def test_the_builder_shows_money_the_sum_and_what_usdt_keeps():
    text = check_message(_builder(Draft(((BTC, 50), (ETH, 30))), note=nothing_left_note()))

    assert "BTC 50%      260.00 → 500.00" in text
    assert "USDT 20%     440.00 → 200.00" in text
    assert "Tokens 80%, USDT keeps 20%." in text


def test_the_builder_cannot_be_done_while_it_is_empty():
    empty = _builder(Draft())

    assert BuildStep.DONE not in {press.step for press in _built(empty)}
    assert [press.index for press in _built(empty) if press.step is BuildStep.PLUS] == [0, 1, 2]
    check_message(empty)


def test_each_token_of_the_builder_has_plus_minus_and_a_way_out():
    steps = [press.step for press in _built(_builder(Draft(((ETH, 30),)))) if press.index == 1]

    assert steps == [BuildStep.MINUS, BuildStep.SHOW, BuildStep.PLUS, BuildStep.DROP]


def _built(message: Message) -> list[BuildBasket]:
    return [press for press in _presses(message) if isinstance(press, BuildBasket)]


def _presses(message: Message) -> list[Any]:
    assert message.keyboard is not None
    return [
        decode(str(one.callback_data)) for row in message.keyboard.inline_keyboard for one in row
    ]
