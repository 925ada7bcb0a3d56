"""Keys, history, balance, help, access and small talk."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.interaction.callback_data import PRESSABLE, HistoryPage, decode
from bot.interaction.message import Message
from bot.views.access import (
    already_in_view,
    no_tries_left_view,
    owner_only_view,
    stranger_view,
    welcome_view,
    wrong_code_view,
)
from bot.views.api_key import (
    ask_disconnect_view,
    ask_key_view,
    ask_secret_view,
    connect_failed_view,
    connected_view,
    disconnected_view,
    nothing_to_disconnect_view,
)
from bot.views.balance import balance_failed_view, balance_view
from bot.views.components.order_text import NOTHING_TRADED, OUTCOMES
from bot.views.errors import error_view, internal_error_view
from bot.views.export import ExportWords, TaxWords
from bot.views.general import (
    edited_view,
    logs_view,
    plain_text_view,
    too_old_tap_view,
    too_old_view,
    unknown_command_view,
    version_view,
    waiting_view,
)
from bot.views.help import COMMANDS, help_view
from bot.views.history import history_view
from bot.views.stray_api_keys import group_refused_view, malformed_key_view, stray_key_view
from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.pairs import USDT, Asset, Side, Symbol
from engine.domain.orders.order import OrderState
from engine.errors import (
    AccountRestricted,
    AddressRefused,
    BadCredentials,
    BadData,
    BelowMinimum,
    ClockRefused,
    DecryptionFailed,
    EngineError,
    KeyElsewhere,
    LeaseLost,
    MissingPermission,
    NoKey,
    OrderUnresolved,
    OutcomeUnknown,
    PairUnavailable,
    PaperOnly,
    RateLimited,
    TooPowerful,
    Unavailable,
)
from engine.exchanges.interface import KeyInspection
from tests.builders import MNTL, account, execution, holdings, intent, rules, settings
from tests.fakes.clock import START
from tests.unit.phone import check_message, check_notice

PERMISSIONS = frozenset({"SPOT_ACCOUNT_READ", "SPOT_DEAL_READ", "SPOT_DEAL_WRITE"})
PAUSED = account(settings=settings(paused=True))
KEYLESS = account(sealed_key=None, key_tail=None, settings=settings(paused=True))


def connected(**changes: Any) -> str:
    facts: dict[str, Any] = {
        "permissions": PERMISSIONS,
        "days_left": 82,
        "addresses": (),
        "holdings": holdings(usdt="57.10", mntl="91858.4"),
    }
    given_facts = {name: changes.pop(name) for name in tuple(changes) if name in facts}
    values: dict[str, Any] = {"account": PAUSED, "rules": rules(), "deleted": True}
    return check_message(
        connected_view(facts=KeyInspection(**facts | given_facts), **values | changes)
    )


def test_a_connected_key_shows_what_it_may_do_and_how_long():
    text = connected()

    assert text.startswith("⏸ PAUSED · Key connected\nThe key ending in BWC5 works")
    assert "It may not withdraw. Allowed: read balances, read orders, trade." in text
    assert "It expires in 82 days." in text
    assert "You hold 57.10 USDT and 91,858 MNTL." in text
    assert "After /resume: I buy MNTL for about 17.10 USDT." in text
    assert "Your message is deleted." in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"deleted": False}, "Please delete it yourself, now"),
        ({"days_left": 3}, "⚠️ It expires in 3 days"),
        ({"days_left": 1}, "⚠️ It expires in 1 day."),
        ({"days_left": None}, "does not say when it expires"),
        ({"permissions": None}, "does not say what the key may do"),
        ({"permissions": frozenset({"NEW_<X>"})}, "Allowed: NEW_<X>."),
        ({"addresses": ("203.0.113.7",)}, "It works only from these addresses: 203.0.113.7."),
        ({"replaced_tail": "ab12"}, "It replaces the one ending in ab12."),
        ({"rules": rules(min_notional=5)}, "MEXC's smallest order is"),
        ({"rules": None}, "You hold 57.10 USDT and 91,858.4 MNTL."),
        ({"account": account()}, "Next check: I buy"),
    ],
)
def test_a_connected_key_tells_what_is_special(changes: dict[str, Any], words: str):
    assert words in connected(**changes)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TooPowerful(code=0, message="SPOT_WITHDRAW_WRITE"), "I take no such key"),
        (BadCredentials(code=10072, message="no <key>"), "does not know this key"),
        (
            AddressRefused(code=700006, message="IP [203.0.113.7] no"),
            "Add the address 203.0.113.7",
        ),
        (AddressRefused(code=700006, message="1.2 ip: no"), "Add this bot's address"),
        (MissingPermission(code=700007, message="x"), "lacks a permission"),
        (AccountRestricted(code=200006, message="x"), "restricts this account"),
        (PairUnavailable(code=70011, message="x"), "may not trade MNTLUSDT"),
        (ClockRefused(code=700003, message="x"), "clock and mine differ"),
        (RateLimited("x", retry_after=1.0), "slow down"),
        (BelowMinimum(code=30002, message="x"), "MEXC refused the key: “x”"),
        (KeyElsewhere("x"), "Send /disconnect there first"),
        (OrderUnresolved("x"), "I need the present key to look it up"),
        (Unavailable("x"), "MEXC does not answer"),
        (BadData("MEXC lists USDT twice (40 and 0)"), "“MEXC lists USDT twice (40 and 0)”"),
    ],
)
def test_a_key_that_is_not_taken_says_why_and_that_nothing_was_kept(
    error: EngineError, words: str
):
    fresh = check_message(connect_failed_view(error=error, account=KEYLESS, deleted=True))
    again = check_message(connect_failed_view(error=error, account=PAUSED, deleted=False))

    assert words in fresh
    assert "I kept nothing of this key." in fresh
    assert "ending in BWC5 stays connected" in again


def test_the_steps_of_connecting_and_disconnecting():
    assert "Step 1 of 2" in check_message(ask_key_view(account=KEYLESS))
    assert "ending in BWC5 stays until" in check_message(ask_key_view(account=PAUSED))
    assert "Step 2 of 2" in check_message(ask_secret_view(deleted=True))
    assert "Please delete it yourself, now" in check_message(group_refused_view(deleted=False))
    assert "deleted" not in check_message(group_refused_view(deleted=None))
    assert "Your message is deleted" in check_message(stray_key_view(deleted=True))
    assert "does not look like" in check_message(malformed_key_view(deleted=True))
    assert "/connect" in check_message(nothing_to_disconnect_view())
    assert "ending in BWC5 is deleted" in check_message(
        disconnected_view(account=KEYLESS, key_tail="BWC5")
    )


def test_forgetting_the_key_asks_with_one_button():
    view = ask_disconnect_view(account=PAUSED, confirmation_id="q-1")

    assert "Forget the key ending in BWC5?" in check_message(view)
    assert view.keyboard is not None
    assert len(view.keyboard.inline_keyboard) == len(view.keyboard.inline_keyboard[0]) == 1
    check_message(ask_disconnect_view(account=KEYLESS, confirmation_id="q-1"))


def test_history_shows_two_lines_a_trade():
    view = history_view(
        account=account(),
        events=[
            intent(state=OrderState.FILLED, execution=execution()),
            intent(state=OrderState.PARTIAL, execution=execution(), side=Side.SELL, dry_run=True),
        ],
        page=0,
        size=5,
        has_more=False,
    )

    assert check_message(view).split("\n\n")[1].splitlines() == [
        "1 22 Nov 12:00 bought 8,142 MNTL",
        "  for 16.30 USDT at 0.002002",
        "2 22 Nov 12:00 sold 8,142 MNTL",
        "  paper 16.30 USDT at 0.002002",
    ]
    assert view.keyboard is not None
    numbers, chart = view.keyboard.inline_keyboard
    assert [button.text for button in chart] == ["Chart"]
    assert [button.text for button in numbers] == ["1", "2"]


@pytest.mark.parametrize("state", OrderState)
def test_history_tells_orders_that_moved_nothing(state: OrderState):
    order = intent(state=state, side=Side.SELL, dry_run=True)

    text = check_message(
        history_view(account=account(), events=[order], page=0, size=5, has_more=False)
    )

    assert "22 Nov 12:00 sell MNTL\n  paper: " in text


def test_history_has_what_moved_by_other_hands_between_the_trades_without_a_button():
    deposit = BalanceChange(
        at=START, dry_run=False, asset=USDT, before=Decimal("40.79"), after=Decimal(140)
    )
    left = BalanceChange(
        at=START, dry_run=True, asset=Asset("MNTL"), before=Decimal(91858), after=Decimal(91358)
    )
    trade = intent(state=OrderState.FILLED, execution=execution())
    view = history_view(
        account=account(), events=[deposit, trade, left], page=0, size=5, has_more=False
    )

    rows = check_message(view).split("\n\n")[1].splitlines()
    assert [*rows[:2], *rows[4:]] == [
        "1 22 Nov 12:00 USDT came in",
        "  40.79 → 140.00",
        "3 22 Nov 12:00 MNTL went out",
        "  paper: 91,858 → 91,358",
    ]
    assert view.keyboard is not None
    assert [b.text for row in view.keyboard.inline_keyboard for b in row] == ["2", "Chart"]


def test_history_is_paged():
    view = history_view(
        account=account(),
        events=[intent(state=OrderState.UNFILLED)],
        page=1,
        size=5,
        has_more=True,
    )

    assert "page 2" in check_message(view)
    assert view.keyboard is not None
    data = [button.callback_data for button in view.keyboard.inline_keyboard[-1]]
    assert [decode(str(text)) for text in data] == [HistoryPage(0, 5), HistoryPage(2, 5)]


def test_a_trade_too_wide_for_one_row_takes_two():
    order = intent(state=OrderState.FILLED, execution=execution(1_008_142, "2018.30"))

    text = check_message(
        history_view(account=account(), events=[order], page=0, size=5, has_more=False)
    )

    assert "22 Nov 12:00 bought\n  1,008,142 MNTL\n  for 2,018.30 USDT at 0.002002" in text


def test_an_empty_history_says_so():
    none = history_view(account=account(), events=[], page=0, size=5, has_more=False)
    older = history_view(account=account(), events=[], page=3, size=5, has_more=False)

    assert "No trades yet" in check_message(none)
    assert "No older trades" in check_message(older)


@given(
    base=st.decimals(min_value="0.00000001", max_value=10**15, places=8),
    quote=st.decimals(min_value=0, max_value=10**15, places=12),
    symbol=st.from_regex(r"[A-Z0-9]{1,16}USDT", fullmatch=True),
)
def test_twenty_rows_of_any_size_fit_one_message(base: Decimal, quote: Decimal, symbol: str):
    order = intent(
        symbol=Symbol(symbol), state=OrderState.FILLED, execution=execution(base, quote)
    )

    check_message(
        history_view(account=account(), events=[order] * 20, page=0, size=20, has_more=True)
    )


def test_every_state_of_an_order_has_its_words():
    assert OUTCOMES.keys() == NOTHING_TRADED.keys() == set(OrderState)


def test_the_export_is_captioned():
    words, tax = ExportWords(), TaxWords("CoinTracking")
    check_notice(words.caption(trades=1, flows=0, part=1, parts=1))
    told = words.caption(trades=1234, flows=2, part=1, parts=1)
    assert "all your 1,234 orders.\nIt has 2 deposits, withdrawals and exchanges by hand." in told
    assert "no order.\nIt has 1 deposit, withdrawal or exchange by hand." in tax.caption(
        trades=0, flows=1, part=1, parts=1
    )
    assert "Nobody has tried that import yet" in tax.caption(trades=1, flows=0, part=1, parts=1)
    check_message(words.nothing())
    check_message(tax.nothing())


def test_the_balance_is_valued_and_sorted_by_worth():
    view = balance_view(
        account=account(settings=settings(dry_run=True)),
        holdings=Holdings(
            {
                USDT: Balance(Decimal("57.1"), Decimal(1)),
                MNTL: Balance(Decimal(91858), Decimal(3)),
                Asset("ODD<"): Balance(Decimal("0.5")),
                Asset("NIL"): Balance(),
            },
            START,
        ),
        prices={MNTL: Decimal("0.002")},
        now=START,
    )

    text = check_message(view)

    assert "This is paper money" in text
    assert "91,861 MNTL\n  ≈ 183.72 USDT\n  3 MNTL in orders\n58.10 USDT\n" in text
    assert "0.5 ODD<" in text
    assert "Total ≈ 241.82 USDT\n1 token has no price here." in text
    assert "NIL" not in text


def test_a_long_or_empty_balance_still_fits():
    many = Holdings({Asset(f"COIN{i}"): Balance(Decimal(i + 1)) for i in range(200)}, START)
    values: dict[str, Any] = {"account": account(), "prices": {}, "now": START}

    assert "180 more are not shown." in check_message(balance_view(holdings=many, **values))
    assert "empty" in check_message(balance_view(holdings=Holdings({}, START), **values))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Unavailable("x"), "MEXC does not answer"),
        (BadData("MEXC lists USDT twice (40 and 0)"), "“MEXC lists USDT twice (40 and 0)”"),
    ],
)
def test_a_balance_that_cannot_be_read_says_why(error: Unavailable, said: str):
    assert said in check_message(balance_failed_view(account=account(), error=error))
    assert said in check_message(error_view(error))


def test_an_asset_that_cannot_be_read_is_named_beside_the_others():
    odd = {Asset("OLDCOIN"): "x", Asset(""): "y", Asset("W" * 40): "z"}
    holdings = Holdings({USDT: Balance(Decimal(40))}, START, odd)
    text = check_message(balance_view(account=account(), holdings=holdings, prices={}, now=START))

    assert "OLDCOIN: not readable" in text
    assert "(no name): not readable" in text


@pytest.mark.parametrize("is_owner", [True, False])
def test_help_fits_one_screen_and_knows_every_command(is_owner: bool):
    view = help_view(is_owner=is_owner)
    text = check_message(view)

    assert len(text.splitlines()) <= 28
    assert all(len(line) <= 40 for line in text.splitlines())
    for name, _ in COMMANDS:
        if name not in {"help", "logs", "halt"}:
            assert f"/{name}" in text
    assert ("/logs" in text) == ("/halt" in text) == is_owner


def test_the_menu_is_one_that_telegram_takes():
    names = [name for name, _ in COMMANDS]

    assert len(names) == len(set(names)) <= 100
    assert set(names) - PRESSABLE == {"start"}
    assert all(1 <= len(description) <= 60 for _, description in COMMANDS)


@pytest.mark.parametrize(
    ("who", "step"),
    [
        (KEYLESS, "/connect adds your MEXC key"),
        (account(sealed_key=None, chat_id=-5), "Keys are taken in private only."),
        (PAUSED, "/resume starts it"),
        (account(), "/pause stops it"),
    ],
    ids=["no key", "no key in a group", "paused", "running"],
)
def test_the_welcome_names_the_next_step(who: Any, step: str):
    assert step in check_message(welcome_view(account=who, just_let_in=True))
    assert "Hello!" in check_message(welcome_view(account=who, just_let_in=False))


def test_a_stranger_gets_one_short_answer_with_the_id():
    alone = check_message(stranger_view(chat_id=7, user_id=7, has_code=False))
    group = check_message(stranger_view(chat_id=-100, user_id=7, has_code=True))

    assert "The id of this chat is 7." in alone
    assert "AUTHORIZED_CHATS" in alone
    assert "The id of this chat is -100.\nYour own id is 7." in group
    assert "/start" in group
    assert len(alone.splitlines()) <= 3


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (wrong_code_view(tries_left=1), "You have 1 try left."),
        (wrong_code_view(tries_left=4), "You have 4 tries left."),
        (wrong_code_view(tries_left=4), "That is not the code."),
        (no_tries_left_view(), "no tries left"),
        (already_in_view(), "You need no code"),
        (owner_only_view(), "Only my owner"),
        (plain_text_view(), "/settarget 40"),
        (plain_text_view("see https://x.y/pause and/or /r/help"), "/settarget 40"),
        (plain_text_view("please /pause"), "I did not carry out /pause. Nothing changed."),
        (plain_text_view("“/RESUME”"), "Please send /resume alone."),
        (plain_text_view("/pause?"), "I did not carry out /pause."),
        (unknown_command_view(name="cancel"), "Did you mean /pause?"),
        (edited_view(), "edit"),
        (internal_error_view(), "never send it twice"),
        (unknown_command_view(name="stauts"), "Did you mean /status?"),
        (unknown_command_view(name="<x>"), "I do not know “/<x>”."),
        (too_old_view(command="resume", age=timedelta(hours=3)), "“/resume” 3 h ago"),
        (too_old_tap_view(name="resume"), "tapped “/resume” a while ago"),
        (
            version_view(version="0.1.0", uptime=timedelta(hours=3, minutes=2), python="3.11.2"),
            "Up for 3h 2m, Python 3.11.2.",
        ),
        (logs_view(log_lines=[]), "The log is empty"),
        (waiting_view(), "One moment"),
    ],
)
def test_small_talk_is_short_and_says_what_to_do(view: Message, words: str):
    text = check_message(view)

    assert words in text
    assert len(text) <= 250


def test_logs_keep_the_newest_lines_that_fit():
    view = logs_view(log_lines=[f"{i} <{'😀' * 400}" for i in range(100)])
    text = check_message(view)

    assert "99 <😀" in text
    assert "\n0 <" not in text
    assert "/logs: the last 5 lines" in text
    assert "one & two" in check_message(logs_view(log_lines=["one & two"]))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OutcomeUnknown("x"), "It may have traded."),
        (DecryptionFailed("x"), "Send your key again with /connect"),
        (BadCredentials(code=10072, message="<no>"), "MEXC refused: “<no>”."),
        (TooPowerful(code=0, message="x"), "another key"),
        (AddressRefused(code=1, message="[2001:db8::1]"), "the address 2001:db8::1"),
        (MissingPermission(code=1, message="x"), "Allow the key"),
        (AccountRestricted(code=1, message="x"), "support"),
        (PairUnavailable(code=1, message="x"), "/setpair"),
        (BelowMinimum(code=1, message="x"), "/why tells more"),
        (RateLimited("x", retry_after=1.0), "slow down"),
        (Unavailable("x"), "No order was sent."),
        (LeaseLost("x"), "Something broke on my side"),
        (NoKey("x"), "/dryrun on"),
        (PaperOnly("x"), "it has paper money only"),
        (KeyElsewhere("x"), "/disconnect there first"),
        (OrderUnresolved("x"), "not confirmed yet"),
    ],
)
def test_each_error_has_words_and_a_way_on(error: EngineError, words: str):
    assert words in check_message(error_view(error))
