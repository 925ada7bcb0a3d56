"""The panel, its questions and its undo fit a phone, whatever the values."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.interaction.callback_data import PanelPage
from bot.interaction.message import Message
from bot.parsing.input_rules import InputRule
from bot.parsing.settings import Topic
from bot.views.errors import error_view
from bot.views.halt import ask_lift_view, other_halt_view
from bot.views.setting_change import ask_live_view, ask_target_view, overtaken_view
from bot.views.settings import not_understood_view
from bot.views.settings_panel import (
    enter_view,
    failed_view,
    page_view,
    panel_view,
    still_waiting_view,
)
from bot.views.undo import (
    page_of,
    undo_late_view,
    undo_overtaken_view,
    undoable,
    undone_view,
)
from engine.accounts.halt import HaltImpact
from engine.domain.accounts.account import Account, Halt
from engine.domain.accounts.risk_limits import Limits
from engine.domain.accounts.settings import TradingMode
from engine.domain.accounts.settings_change import SettingsPatch
from engine.domain.execution.bound import ExecutionMode, Slippage
from engine.domain.market.balances import Counting
from engine.domain.market.pairs import Asset, Symbol
from engine.domain.orders.order import Trigger
from engine.domain.rebalancing.check_result import BalanceSnapshot, CheckResult, NoTrade
from engine.domain.rebalancing.pending_change import PendingChange
from engine.domain.rebalancing.planner import InsideBand, LimitKind, OverLimit, Reason, plan
from engine.domain.targets.bands import Threshold
from engine.domain.targets.target import FixedUsdt
from engine.errors import Unavailable
from engine.rebalancing.preview import Foreseen, Outlook
from tests.builders import account, book, forecast_of, holdings, rules, settings
from tests.fakes.clock import START
from tests.unit.phone import check_message

D = Decimal
PAGES = [page for page in PanelPage if page is not PanelPage.HOME]
WITHOUT_BAND = {PanelPage.LIMITS, PanelPage.EXECUTION, PanelPage.SLIPPAGE}
LONG = Symbol("1000000BABYDOGE1USDT")
WISHES = [
    SettingsPatch(target=FixedUsdt(D("999999999.99"))),
    SettingsPatch(threshold=Threshold(relative=D("0.0125"))),
    SettingsPatch(threshold=Threshold(quote_amount=D("1234567.89"))),
    SettingsPatch(interval_s=5400),
    SettingsPatch(symbol=LONG),
    SettingsPatch(counting=Counting.FREE),
    SettingsPatch(autonomy=TradingMode.NOTIFY),
    SettingsPatch(dry_run=True),
    SettingsPatch(limits=Limits(order=D(500), day=D(2000), orders_per_hour=20, move=D("0.15"))),
    SettingsPatch(execution=ExecutionMode.AUTO),
    SettingsPatch(slippage=Slippage(D("0.0005"), strict=True)),
    SettingsPatch(target=FixedUsdt(D(40)), threshold=Threshold(relative=D("0.05"))),
]
accounts = st.builds(
    lambda target, hundredths, seconds, symbol, paused, dry_run, halted, mode, far: account(
        settings=replace(
            settings(
                target=target,
                threshold=D(hundredths) / 10000,
                interval=timedelta(seconds=seconds),
                symbol=symbol,
                paused=paused,
                dry_run=dry_run,
            ),
            execution=mode,
            slippage=far,
        ),
        halted=halted,
    ),
    st.decimals("0.01", "1000000000", places=2),
    st.integers(1, 9999),
    st.integers(1, 86400),
    st.sampled_from([Symbol("MNTLUSDT"), LONG]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from([ExecutionMode.AUTO, ExecutionMode.MARKET]),
    st.builds(Slippage, st.sampled_from([D("0.0001"), D("0.01"), D("0.2")]), st.booleans()),
)


def a_look(one: Account, held: str = "57.10") -> CheckResult:
    return CheckResult(
        at=START,
        trigger=Trigger.PERSON,
        target=one.settings.fixed_goal.target,
        band=one.settings.fixed_goal.band,
        verdict=NoTrade(InsideBand()),
        seen=BalanceSnapshot.of(one.settings, holdings(usdt=held), book()),
    )


def foreseen(one: Account, *, usdt: str = "57.10", reason: Reason | None = None) -> Foreseen:
    held, market = holdings(usdt=usdt), book()
    decided = plan(holdings=held, settings=one.settings, rules=rules(), book=market)
    seen = BalanceSnapshot.of(one.settings, held, market)
    decided, comes_to = forecast_of(decided)
    return Foreseen(decided, reason, a_look(one, usdt), seen, rules(), comes_to)


def labels(message: Message) -> list[str]:
    rows = message.keyboard.inline_keyboard if message.keyboard else ()
    return [button.text for row in rows for button in row]


@given(accounts, st.booleans())
def test_every_page_fits_whatever_is_set(one: Account, known: bool):
    look, pair = (a_look(one), rules()) if known else (None, None)
    home = check_message(
        panel_view(account=one, now=START, outlook=Outlook(look=look, rules=pair))
    )

    assert home.splitlines()[0].endswith(" · Settings")
    for page in PAGES:
        view = page_view(page=page, account=one, now=START, outlook=Outlook(look=look, rules=pair))
        text = check_message(view)
        assert f"/{page.value}" in text
        assert ("Band" in text) is (page not in WITHOUT_BAND)
        assert max(map(len, labels(view))) <= 20
        check_message(enter_view(page=page, account=one, is_private=known))


def test_the_page_of_the_pair_offers_the_tokens_that_are_held():
    outlook = Outlook(tokens=(Asset("BTC"), Asset("MNTL")))
    view = page_view(page=PanelPage.PAIR, account=account(), now=START, outlook=outlook)

    assert labels(view) == ["BTC/USDT", "✏️ Other…", "⬅️ Back"]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_after_a_change_has_its_undo_first(page: PanelPage):
    view = page_view(
        page=page,
        account=account(),
        now=START,
        undo=(SettingsPatch(target=FixedUsdt(D(50))), "question"),
        outlook=Outlook(look=None, rules=rules()),
    )

    assert "Undo works for 60 s. Later: /settarget 50" in check_message(view)
    assert labels(view)[0] == "↩️ Undo"


def test_a_band_that_never_trades_is_told_on_the_page():
    one = account(settings=settings(threshold="0.01"))
    view = page_view(
        page=PanelPage.THRESHOLD,
        account=one,
        now=START,
        outlook=Outlook(look=None, rules=rules(min_notional=5)),
    )

    assert "MEXC's smallest order is" in check_message(view)
    assert "±15%" in labels(view)
    assert "±2%" not in labels(view)


@pytest.mark.parametrize("wish", WISHES, ids=range(len(WISHES)))
def test_every_undo_says_what_it_brings_back_and_how_else(wish: SettingsPatch):
    proposal = PendingChange(wanted=wish, found=wish, in_panel=True)
    one = account()
    texts = [
        check_message(undoable(Message("Set."), former=wish, question_id="q")),
        check_message(
            undone_view(
                account=one,
                former=wish,
                now=START,
                outlook=Outlook(look=a_look(one), rules=rules()),
            )
        ),
        check_message(undo_late_view(proposal)),
        check_message(undo_overtaken_view(account=one, proposal=proposal)),
        check_message(overtaken_view(account=one, proposal=proposal)),
    ]

    for text in (texts[0], texts[2], texts[3], texts[4]):
        assert "/" in text
    assert "Undone. " in texts[1]
    assert len(wish.names) > 1 or page_of(wish) is not PanelPage.HOME or wish.autonomy


def test_undo_stands_above_the_other_buttons():
    refused = not_understood_view(topic=Topic.INTERVAL, typed_text="x")
    view = undoable(refused, former=SettingsPatch(interval_s=120), question_id="q")

    assert labels(view) == ["↩️ Undo", "/setinterval 1m", "/setinterval 5m", "/setinterval 1h"]


@pytest.mark.parametrize("in_panel", [True, False])
@pytest.mark.parametrize("usdt", ["57.10", "5000", "1", "200"])
def test_a_big_target_is_shown_with_its_order(usdt: str, in_panel: bool):
    one = account()
    wanted = replace(one, settings=settings(target=200))
    view = ask_target_view(
        account=one,
        target=D(200),
        foreseen=foreseen(wanted, usdt=usdt),
        confirmation_id="q",
        in_panel=in_panel,
    )
    text = check_message(view)

    assert f"You hold {D(usdt):,.2f} USDT" in text
    assert "No tap within 90 s: the target stays 40.00 USDT." in text
    assert labels(view) == ["Set 200.00 USDT", *(["⬅️ Back"] if in_panel else [])]


def test_an_order_over_a_limit_is_said_to_be_held_back():
    wanted = account(settings=settings(target=40))
    over = OverLimit(LimitKind.ORDER, asked=D(1960), allowed=D(1000))
    view = ask_target_view(
        account=account(settings=settings(target=1999)),
        target=D(40),
        foreseen=foreseen(wanted, usdt="2000", reason=over),
        confirmation_id="q",
        in_panel=False,
    )

    assert "To change the limit: /limits" in check_message(view)


@pytest.mark.parametrize(
    ("one", "when"),
    [
        (account(), "The next check would"),
        (account(settings=settings(paused=True)), "After /resume the first check would"),
        (account(halted=True), "When the halt is lifted, the next check would"),
    ],
)
def test_the_question_says_when(one: Account, when: str):
    view = ask_target_view(
        account=one,
        target=D(200),
        foreseen=foreseen(replace(one, settings=settings(target=200))),
        confirmation_id="q",
        in_panel=False,
    )

    assert when in check_message(view)


@pytest.mark.parametrize("seen", [True, False])
def test_real_money_is_asked_about_with_or_without_a_view_of_the_balance(seen: bool):
    one = account(settings=settings(dry_run=True))
    view = ask_live_view(
        account=one,
        foreseen=foreseen(one) if seen else None,
        confirmation_id="q",
        in_panel=True,
    )
    text = check_message(view)

    assert text.startswith("🧪 DRY RUN · Trade with real money?")
    assert ("MEXC does not answer now." in text) is not seen
    assert "nothing is traded before your /resume" in text
    assert labels(view) == ["Trade for real", "⬅️ Back"]


@pytest.mark.parametrize(
    ("waiting", "words"),
    [
        ((1, 1, 1), "1 chat trades again at once.\n1 of them uses real money."),
        ((3, 2, 0), "2 chats trade again at once.\nAll of them trade on paper.\n1 chat stays"),
        ((2, 0, 0), "Nothing trades by itself.\n2 chats stay paused or without a key."),
    ],
)
def test_lifting_a_halt_says_what_starts(waiting: tuple[int, int, int], words: str):
    view = ask_lift_view(
        account=account(halted=True),
        waiting=HaltImpact(Halt(START, 1), *waiting),
        confirmation_id="q",
    )

    assert words in check_message(view)
    check_message(other_halt_view(account=account(halted=True)))


def test_what_went_wrong_leads_back():
    text = check_message(
        still_waiting_view(page=PanelPage.TARGET, typed_text="<b>", rule=InputRule.NUMBER)
    )

    assert text.splitlines() == [
        "I cannot use “<b>” here. Nothing changed.",
        "Write the number with digits, like 40 or 40.50.",
        "Send another value, like 40, or Cancel.",
        "You can also type /settarget 40.",
    ]
    check_message(failed_view(error_view(Unavailable("away")), page=PanelPage.DRY_RUN))
