"""`/profit` on a phone: what is there, what was made, and what is only about so."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.interaction.callback_data import HistoryPage, ProfitPage, decode
from bot.interaction.message import Message
from bot.parsing.spans import parse_span
from bot.views.profit import no_profit_view, profit_view
from bot.views.trade_details import story_view
from engine.accounts.profit import NoReport, SpanReport, WorthNow
from engine.domain.market.pairs import USDT
from engine.domain.orders.order import OrderState
from engine.domain.profit.entries import Change, Doubt, PriceLine, Prices, Trade
from engine.domain.profit.report import profit
from engine.domain.profit.spans import Span, beginning
from engine.domain.profit.steps import Held
from tests.builders import MNTL, account, execution, intent, settings
from tests.fakes.clock import START
from tests.unit.phone import check_message
from tests.unit.profits import bought, moved

_DAY = timedelta(days=1)
_SINCE = START - 7 * _DAY


def found(**changes: Any) -> SpanReport:
    events: list[Trade | Change] = [
        moved(START - 5 * _DAY, USDT, "57.10", "82.10", "0.002"),
        bought(START - 4 * _DAY, 8142, "16.40", fee="0.0082", price="0.002", before=("82.10", 0)),
    ]
    report = profit(
        events,
        now=Held(MNTL, Decimal("65.6918"), Decimal(8142)),
        prices=Prices({MNTL: PriceLine([_SINCE, START], [Decimal("0.002"), Decimal("0.0023")])}),
        since=_SINCE,
        until=START,
    )
    assert report is not None
    asked_since = changes.pop("asked_since", _SINCE)
    priced_now = changes.pop("priced_now", True)
    refused = changes.pop("refused", False)
    return SpanReport(replace(report, **changes), asked_since, priced_now, refused)


def text_of(message: Message) -> str:
    return check_message(message)


def test_a_report_says_what_was_made_beside_only_holding():
    text = text_of(profit_view(account=account(), found=found(), span=Span.WEEK))

    assert text == (
        "🟢 LIVE · Profit, 7 days\n"
        "Since 15 Nov 12:00, UTC.\n"
        "Start            57.10    USDT\n"
        "Deposits        +25.00\n"
        "Now              84.42\n"
        "Made             +2.32   +2.8%\n"
        "Only held         0.00    0.0%\n"
        "Trading          +2.32\n"
        "──────────────────────────────\n"
        "Trades               1\n"
        "Turnover         16.40\n"
        "Fees             -0.01\n"
        "Slippage         -0.12\n"
        "Only held: the same coins, never traded.\n"
        "Trading: what the trades brought, after fees.\n"
        "Percent is of the money there at the time.\n"
        "Since a date: /profit 2026-11-01"
    )


def test_large_sums_fit_a_phone():
    sums = dict.fromkeys(("start", "now", "held_made", "brought"), Decimal("98765432.10"))
    huge = found(**sums, made=Decimal("-98765432.10"), returned=Decimal(-9))
    text_of(profit_view(account=account(), found=huge, span=Span.ALL))
    small = found(drawdown=Decimal("0.0004"))
    assert "Worst fall" not in text_of(profit_view(account=account(), found=small, span=Span.ALL))


def test_what_is_only_about_so_is_said():
    young = found(
        doubts=frozenset(Doubt), asked_since=_SINCE - _DAY, priced_now=False, returned=None
    )
    text = text_of(
        profit_view(
            account=account(settings=settings(dry_run=True)), found=young, span=date(2026, 11, 1)
        )
    )

    assert text.startswith("🧪 DRY RUN · Profit since 2026-11-01\n")
    assert "My records begin then." in text
    assert text.count("\nAbout: ") == len(Doubt)
    assert "MEXC does not answer. I count the last price that I know." in text
    assert "Made             +2.32\n" in text


def test_a_token_that_is_not_traded_any_more_and_a_key_that_is_gone_are_said():
    keyless = account(sealed_key=None, key_tail=None)
    last = text_of(profit_view(account=keyless, found=found(priced_now=False), span=Span.WEEK))
    gone = found(priced_now=False, refused=True, doubts=frozenset({Doubt.PRICE_OLD}))
    text = text_of(profit_view(account=account(), found=gone, span=Span.WEEK))

    assert "This chat has no key. I count the coins and the price that I last saw." in last
    assert "does not answer" not in last
    assert "MEXC names no price of MNTL now. I count the last one that I know." in text
    assert "no price for a day or more" in text


def test_each_span_has_a_button_and_the_one_shown_is_marked():
    message = profit_view(account=account(), found=found(), span=Span.MONTH)
    assert message.keyboard is not None
    spans = message.keyboard.inline_keyboard[0]

    assert [one.text for one in spans] == ["24h", "7d", "· 30d ·", "All"]
    assert [decode(str(one.callback_data)) for one in spans] == list(map(ProfitPage, Span))


@pytest.mark.parametrize("reason", list(NoReport))
@pytest.mark.parametrize("key", [True, False])
def test_without_a_report_the_reason_and_what_can_be_shown_are_named(reason: NoReport, key: bool):
    keyless = account() if key else account(sealed_key=None, key_tail=None)
    message = no_profit_view(account=keyless, reason=reason)
    text = text_of(message)

    assert "Profit not known" in text
    assert ("no key" in text) == (reason is not NoReport.FUTURE and not key)
    assert ("/connect adds your MEXC key." in text) == ("no key" in text)
    assert message.keyboard is not None


def test_who_has_not_started_trading_hears_how_records_begin():
    paused = account(settings=settings(paused=True))
    text = text_of(no_profit_view(account=paused, reason=NoReport.NO_RECORDS))
    assert "Checks run while trading is on. /resume starts it." in text


def test_a_report_of_years_names_the_year_in_which_it_begins():
    old = found(until=_SINCE + 400 * _DAY)
    text = text_of(profit_view(account=account(), found=old, span=Span.ALL))
    assert f"\nSince 15 Nov {_SINCE.year} 12:00, UTC.\n" in text


def test_the_story_of_a_trade_says_what_it_brought():
    order = intent(
        state=OrderState.FILLED, execution=execution(), resolved_at=START, price="0.002"
    )
    worth = WorthNow(Decimal("-0.123"), Decimal("0.0021"), START, about=False)
    facts: Any = {"account": account(), "order": order, "asked_by": None}
    text, about = (
        text_of(story_view(**facts, back=HistoryPage(0, 5), worth=one))
        for one in (worth, replace(worth, about=True))
    )

    assert "Brought  -0.12 USDT so far\n         at 0.0021 USDT\n         22 Nov 12:00\n" in text
    assert "Brought  about -0.12 USDT so far\n" in about


@pytest.mark.parametrize(
    ("typed", "span"),
    [
        ("", Span.WEEK),
        ("24h", Span.DAY),
        (" 7D ", Span.WEEK),
        ("month", Span.MONTH),
        ("all", Span.ALL),
        ("2026-11-01", date(2026, 11, 1)),
    ],
)
def test_a_span_is_read(typed: str, span: Span | date):
    assert parse_span(typed) == span


def test_a_date_begins_at_midnight_of_the_chats_zone():
    begins = beginning(date(2026, 11, 1), now=START, time_zone="Europe/Berlin")
    assert begins is not None
    assert begins.isoformat() == "2026-10-31T23:00:00+00:00"
    assert beginning(Span.ALL, now=START, time_zone="UTC") is None
    assert beginning(Span.MONTH, now=START, time_zone="UTC") == START - 30 * _DAY
