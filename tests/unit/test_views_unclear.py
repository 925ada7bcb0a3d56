"""An unclear order in words: what the person is asked, and what each answer of theirs gets."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.interaction.callback_data import Confirm, Report, Word, decode
from bot.interaction.message import Message
from bot.views.alerts.alerts import alert_view
from bot.views.status import status_view
from bot.views.unresolved_order import (
    already_clear_view,
    ask_set_aside_view,
    believed_view,
    doubted_view,
    known_now_view,
    set_aside_view,
    still_unclear_view,
)
from bot.views.why import why_view
from engine.domain.alerts.alerts import OrderNeedsPerson, OrderUnclear
from engine.domain.market.pairs import Side
from engine.domain.orders.order import OrderState, Trigger
from engine.domain.rebalancing.check_result import CheckResult, OrderPending
from engine.execution.manual_resolution import (
    AlreadyClear,
    KnownNow,
    LookupFailure,
    ReportAccepted,
    ReportContradicted,
    StillUnclear,
)
from tests.builders import MNTLUSDT, account, execution, holdings, intent, settings
from tests.fakes.clock import START
from tests.unit.phone import check_message

STUCK = intent(state=OrderState.NEEDS_HUMAN, price="0.002", sent_at=START)
SOLD = intent(state=OrderState.NEEDS_HUMAN, side=Side.SELL, sent_at=START)
BEFORE = holdings(usdt="57.10", mntl=100_000)
FILLED = holdings(usdt="40.79", mntl=108_142)
ACCOUNT = account()
QUESTION = "abcDEF123-_x"


def presses(message: Message) -> list[object]:
    assert message.keyboard is not None
    return [
        decode(str(button.callback_data))
        for row in message.keyboard.inline_keyboard
        for button in row
    ]


def reports(client_order_id: str) -> list[object]:
    return [Report(word, client_order_id) for word in Word]


def needs_person(*, dry_run: bool = False) -> OrderNeedsPerson:
    return OrderNeedsPerson(
        dry_run=dry_run,
        symbol=MNTLUSDT,
        side=Side.BUY,
        expected_quote=STUCK.expected_quote,
        client_order_id=STUCK.client_order_id,
    )


def doubted(*, filled: bool, seen=BEFORE, silence: LookupFailure = LookupFailure.NOT_KNOWN) -> str:
    view = doubted_view(ReportContradicted(STUCK, filled, silence, seen), confirmation_id=QUESTION)

    assert presses(view) == [Confirm(QUESTION)]
    return check_message(view)


def test_an_unknown_status_is_named_with_the_amounts():
    asked = replace(
        needs_person(),
        status="EXPIRED",
        base_quantity=Decimal(14285),
        quote_amount=Decimal("28.6"),
    )

    text = check_message(alert_view(asked))

    assert "“EXPIRED”. I do not know this word." in text
    assert "MEXC says that 14,285 MNTL were traded for 28.60 USDT." in text


def test_at_once_the_person_hears_that_nothing_else_is_sent():
    text = check_message(
        alert_view(
            OrderUnclear(
                dry_run=False,
                symbol=MNTLUSDT,
                side=Side.BUY,
                expected_quote=STUCK.expected_quote,
            )
        )
    )

    assert "MEXC did not answer my order to buy MNTL for about 17.10 USDT." in text
    assert "I look it up, and send nothing else until I know." in text


@pytest.mark.parametrize(
    ("dry_run", "mode"), [(False, "🛑 HALTED"), (True, "🛑 HALTED (dry run)")]
)
def test_the_card_names_the_order_and_asks_with_three_buttons(dry_run: bool, mode: str):
    card = alert_view(needs_person(dry_run=dry_run))

    text = check_message(card)
    assert text.startswith(f"{mode} · Please look at MEXC")
    assert STUCK.client_order_id in text
    assert presses(card) == reports(STUCK.client_order_id)


def test_the_status_card_asks_too_while_an_order_needs_the_person():
    asking = status_view(account=ACCOUNT, now=START, unresolved=STUCK)
    finding_out = status_view(
        account=ACCOUNT, now=START, unresolved=replace(STUCK, state=OrderState.UNKNOWN)
    )

    assert "tap what you saw" in check_message(asking)
    assert presses(asking)[:3] == reports(STUCK.client_order_id)
    assert not any(isinstance(press, Report) for press in presses(finding_out))


def test_why_sends_the_person_to_the_buttons():
    look = CheckResult(
        at=START,
        trigger=Trigger.INTERVAL,
        target=ACCOUNT.settings.fixed_goal.target,
        band=ACCOUNT.settings.fixed_goal.band,
        verdict=OrderPending(STUCK.client_order_id),
    )
    finding_out = replace(STUCK, state=OrderState.UNKNOWN)

    stuck = check_message(why_view(account=ACCOUNT, now=START, look=look, unresolved=STUCK))
    patient = check_message(
        why_view(account=ACCOUNT, now=START, look=look, unresolved=finding_out)
    )
    assert "buttons under /status" in stuck
    assert "buttons" not in patient


def test_resume_asks_what_the_person_saw_and_lets_them_insist():
    question = ask_set_aside_view(account=ACCOUNT, order=STUCK, confirmation_id=QUESTION)

    text = check_message(question)
    assert "🛑 HALTED · One order is unclear" in text
    assert presses(question) == [*reports(STUCK.client_order_id), Confirm(QUESTION)]


def test_a_believed_fill_says_that_the_amounts_stay_unknown_and_trading_goes_on():
    text = check_message(believed_view(ReportAccepted(STUCK, ACCOUNT, filled=True, seen=FILLED)))

    assert text.splitlines() == [
        "🟢 LIVE · Taken as filled",
        "Order: buy MNTL for about 17.10 USDT",
        "You said that it was filled, and your balances agree.",
        "MNTL  100,000 → 108,142",
        "USDT  57.10 → 40.79",
        "MEXC never sent the amounts and the fee, so it is not in /history.",
        "Trading goes on: the next check starts from these balances. To stop: /pause",
    ]


def test_a_believed_miss_says_that_no_money_moved():
    text = check_message(believed_view(ReportAccepted(STUCK, ACCOUNT, filled=False, seen=BEFORE)))

    assert "Taken as not filled" in text
    assert "MNTL  100,000, as before the order" in text
    assert "USDT  57.10, as before the order" in text
    assert "No money moved." in text


@pytest.mark.parametrize(
    "stopped",
    [account(settings=settings(paused=True)), account(halted=True)],
    ids=["paused", "halted"],
)
def test_what_is_stopped_is_not_said_to_go_on(stopped):
    text = check_message(believed_view(ReportAccepted(STUCK, stopped, filled=True, seen=FILLED)))

    assert "stays stopped" in text
    assert "goes on" not in text


def test_a_contradicted_claim_is_told_with_its_numbers_and_may_be_insisted_on():
    text = doubted(filled=True)

    assert "🛑 HALTED · I cannot confirm that" in text
    assert "Your balances do not show that:" in text
    assert "MNTL  100,000, as before the order" in text
    assert "Nothing changed" in text
    assert "within 90 s" in text


@pytest.mark.parametrize(
    ("filled", "seen", "words"),
    [
        (False, FILLED, "Your balances speak against that:"),
        (False, holdings(usdt="51", mntl=103_000), "neither show that nor rule it out"),
        (True, holdings(usdt="51", mntl=103_000), "neither show that nor rule it out"),
        (True, None, "I cannot read your balances now"),
    ],
)
def test_what_the_balances_say_is_not_overstated(filled: bool, seen, words: str):
    assert words in doubted(filled=filled, seen=seen)


@pytest.mark.parametrize(
    ("silence", "words"),
    [
        (LookupFailure.NOT_KNOWN, "MEXC still does not know it."),
        (LookupFailure.NO_ANSWER, "MEXC does not answer."),
        (LookupFailure.NOT_ALLOWED, "MEXC does not let me look with this key."),
    ],
)
def test_no_news_says_why_and_what_happens_next(silence: LookupFailure, words: str):
    text = check_message(still_unclear_view(StillUnclear(SOLD, silence)))

    assert words in text
    assert "sell MNTL" in text
    assert "I look every 30 s and send nothing else." in text
    assert words in doubted(filled=True, silence=silence)


@pytest.mark.parametrize(("over", "words"), [(True, "It is over"), (False, "still open")])
def test_an_order_found_is_left_to_mexcs_own_word(over: bool, words: str):
    text = check_message(known_now_view(KnownNow(STUCK, over)))

    assert "MEXC has it now" in text
    assert words in text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        *((state, "finding out") for state in (OrderState.UNKNOWN, OrderState.NEEDS_HUMAN)),
        *((state, "bought 8,142 MNTL") for state in (OrderState.FILLED, OrderState.PARTIAL)),
        *((state, "no money moved") for state in (OrderState.NOT_EXECUTED, OrderState.UNFILLED)),
        (OrderState.SET_ASIDE, "put aside already"),
    ],
)
def test_a_tap_that_comes_too_late_hears_what_became_of_the_order(state: OrderState, words: str):
    order = replace(STUCK, state=state, execution=execution())

    assert words in check_message(already_clear_view(AlreadyClear(order)))


def test_a_fill_of_a_sell_is_told_as_one():
    sold = replace(SOLD, state=OrderState.FILLED, execution=execution())

    assert "sold 8,142 MNTL" in check_message(already_clear_view(AlreadyClear(sold)))


def test_an_order_of_somebody_else_is_not_described():
    text = check_message(already_clear_view(AlreadyClear(None)))

    assert "no such order in this chat" in text


def test_an_order_put_aside_leaves_trading_paused():
    aside = set_aside_view(account=account(settings=settings(paused=True)))

    assert "⏸ PAUSED · Put aside" in check_message(aside)


def test_a_change_too_small_to_show_is_shown_all_the_same():
    dust = holdings(usdt="57.1001", mntl="100000.001")

    text = doubted(filled=True, seen=dust)
    assert "MNTL  100,000 → 100,000.001" in text
    assert "USDT  57.1 → 57.1001" in text


amounts = st.decimals(min_value=0, max_value=10**15, places=8)


@given(st.booleans(), amounts, amounts, st.sampled_from(LookupFailure))
def test_any_balances_fit_the_phone(filled: bool, usdt, mntl, silence: LookupFailure):
    seen = holdings(usdt=usdt, mntl=mntl)

    check_message(believed_view(ReportAccepted(STUCK, ACCOUNT, filled, seen)))
    doubted(filled=filled, seen=seen, silence=silence)
