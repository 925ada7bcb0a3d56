"""Each change echoed with its consequence; pause, resume and `/why`."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.parsing.input_rules import InputRule
from bot.parsing.settings import Ambiguous, Topic, parse_target, parse_threshold
from bot.views.components.forecast import caution, held_at, next_step
from bot.views.pause_resume import cannot_resume_view, paused_view, resumed_view
from bot.views.settings import (
    ask_view,
    changed_view,
    not_checked_view,
    not_understood_view,
    pair_unavailable_view,
    question_closed_view,
    question_view,
)
from bot.views.why import why_view
from engine.domain.accounts.incidents import Incident, IncidentKind
from engine.domain.market.balances import Balance, Counting
from engine.domain.market.pairs import Asset, Side, Symbol
from engine.domain.orders.order import ClientOrderId, OrderState, Trigger
from engine.domain.rebalancing.check_result import (
    AwaitingSettlement,
    BalanceSnapshot,
    CheckFailed,
    CheckResult,
    Decision,
    NoTrade,
    OrderPending,
    OrderPlaced,
    PlanChanged,
)
from engine.domain.rebalancing.planner import InsideBand, UnderMinimum
from engine.domain.targets.target import FixedUsdt
from engine.rebalancing.preview import Outlook
from tests.builders import MNTL, MNTLUSDT, account, execution, intent, rules, settings
from tests.fakes.clock import START
from tests.unit.phone import check_message

NOW = START
NO_SETTINGS = {
    Topic.GOAL,
    Topic.BANDS,
    Topic.DESTINATION,
    Topic.PROTECT,
    Topic.COOLDOWN,
    Topic.SCHEDULE,
    Topic.CRASH_GUARD,
    Topic.DEPOSITS,
    Topic.EXECUTION,
    Topic.SLIPPAGE,
    Topic.HISTORY,
    Topic.PROFIT,
    Topic.WHY,
    Topic.LOGS,
    Topic.LIMITS,
    Topic.ALERTS,
    Topic.WARN,
    Topic.PRICE_ALERT,
    Topic.BUY,
    Topic.SELL,
}
SETTINGS_TOPICS = [topic for topic in Topic if topic not in NO_SETTINGS]


def a_look(held: str = "57.10", verdict: Decision | None = None, **changes: Any) -> CheckResult:
    values: dict[str, Any] = {
        "at": NOW - timedelta(seconds=48),
        "trigger": Trigger.INTERVAL,
        "target": Decimal(40),
        "band": settings().fixed_goal.band,
        "verdict": verdict or NoTrade(InsideBand()),
        "seen": BalanceSnapshot(
            symbol=MNTLUSDT,
            quote=Balance(Decimal(held)),
            base=Balance(Decimal(91858), Decimal(12)),
            held=Decimal(held),
            price=Decimal("0.002"),
        ),
    }
    return CheckResult(**values | changes)


def changed(topic: Topic, *, before: Any = None, after: Any = None, **more: Any) -> str:
    view = changed_view(
        topic=topic,
        account=account(settings=after or settings()),
        before=before or settings(),
        now=NOW,
        outlook=Outlook(**more),
    )
    return check_message(view)


def test_a_new_target_says_its_band_and_what_the_next_check_does():
    text = changed(Topic.TARGET, after=settings(target=50), look=a_look(), rules=rules())

    assert text.splitlines() == [
        "🟢 LIVE · Target set to 50.00 USDT",
        "Band 47.50 – 52.50 USDT (±5%)",
        "Next check: I buy MNTL for about 7.10 USDT.",
        "I saw the balance 48s ago.",
    ]


def test_the_same_value_again_changes_nothing_and_says_so():
    text = changed(Topic.TARGET)

    assert "Target is 40.00 USDT already\nNothing changed." in text


@pytest.mark.parametrize(
    ("topic", "after", "words"),
    [
        (Topic.THRESHOLD, settings(threshold=2, in_quote=True), "set to 2.00 USDT"),
        (Topic.INTERVAL, settings(interval=timedelta(seconds=5)), "every 5 s"),
        (Topic.PAIR, settings(symbol=Symbol("BTCUSDT")), "buy and sell only BTC"),
        (Topic.COUNTING, settings(counting=Counting.FREE), "does not count as held"),
        (Topic.DRY_RUN, settings(dry_run=True), "on paper with live prices"),
    ],
)
def test_each_setting_says_what_it_means(topic: Topic, after: Any, words: str):
    assert words in changed(topic, after=after)


def test_switching_back_says_what_it_means_too():
    held = changed(Topic.COUNTING, before=settings(counting=Counting.FREE))
    live = changed(Topic.DRY_RUN, before=settings(dry_run=True))

    assert "counts as held" in held
    assert "real money" in live


def test_a_band_narrower_than_the_smallest_order_is_said_with_values_that_work():
    view = changed_view(
        topic=Topic.THRESHOLD,
        account=account(),
        before=settings(threshold="0.1"),
        now=NOW,
        outlook=Outlook(rules=rules(min_notional=5)),
    )

    text = check_message(view)

    assert "±5% of 40.00 USDT is 2.00 USDT." in text
    assert "MEXC's smallest order is 5.50 USDT, so I act only from 5.50 USDT on." in text
    assert view.keyboard is not None
    assert [row[0].text for row in view.keyboard.inline_keyboard] == [
        "/setthreshold 5.5usdt",
        "/setthreshold 14%",
        "/settarget 110",
    ]


@given(
    target=st.decimals(min_value="0.01", max_value=10**9, places=2),
    threshold=st.decimals(min_value="0.0001", max_value="0.9999", places=4),
    minimum=st.decimals(min_value="0.01", max_value=1000, places=2),
)
def test_the_values_said_to_work_do_work(target: Decimal, threshold: Decimal, minimum: Decimal):
    wishes = settings(target=target, threshold=threshold)
    pair = rules(min_notional=minimum)
    warning = caution(wishes, rules=pair)

    for remedy in warning.remedies if warning else ():
        if remedy.command == "settarget":
            new_target = parse_target(remedy.argument)
            assert isinstance(new_target, Decimal)
            mended = replace(wishes, target=FixedUsdt(new_target))
        else:
            new_threshold = parse_threshold(remedy.argument)
            assert not isinstance(new_threshold, Ambiguous)
            mended = replace(wishes, threshold=new_threshold)
        assert caution(mended, rules=pair) is None


def test_a_band_that_reaches_zero_never_sells():
    wide = settings(threshold=40, in_quote=True)

    assert "so I would never sell" in changed(Topic.THRESHOLD, after=wide, rules=rules())


def test_a_target_under_the_smallest_order_can_only_grow():
    warning = caution(settings(target="0.50"), rules=rules())
    in_usdt = caution(settings(target="0.50", threshold="0.1", in_quote=True), rules=rules())

    assert warning is not None
    assert [remedy.command for remedy in warning.remedies] == ["settarget"]
    assert in_usdt is not None
    assert not in_usdt.remedies
    assert "would work" not in changed(
        Topic.THRESHOLD,
        after=settings(target="0.50", threshold="0.1", in_quote=True),
        rules=rules(),
    )


def test_values_that_cannot_be_set_are_not_proposed():
    nearly_all = caution(settings(target=10, threshold="0.5"), rules=rules(min_notional="9.08"))
    hopeless = caution(settings(threshold="0.0000000001"), rules=rules())

    assert nearly_all is not None
    assert [remedy.argument for remedy in nearly_all.remedies] == ["9.99usdt", "20"]
    assert hopeless is not None
    assert [remedy.command for remedy in hopeless.remedies] == ["setthreshold", "setthreshold"]


@pytest.mark.parametrize(
    ("held", "changes", "words"),
    [
        (None, {}, "Next check: I read your balance and decide."),
        ("40.10", {}, "Next check: I do nothing. 40.10 USDT is inside the band."),
        ("57.10", {}, "Next check: I buy MNTL for about 17.10 USDT."),
        ("20", {}, "Next check: I sell MNTL for about 20.00 USDT."),
        (
            "20",
            {"settings": settings(paused=True)},
            "Trading is paused. After /resume: I sell MNTL",
        ),
        ("20", {"sealed_key": None}, "I check nothing until you send /connect"),
        ("20", {"halted": True}, "The owner halted all chats of this bot: I send no order"),
        ("1040", {}, "I buy MNTL for about 1,000.00 USDT."),
        ("1040.01", {}, "limit: the order would be 1,000.01 USDT, you allow 1,000.00."),
        (
            "41",
            {"settings": settings(threshold="0.02")},
            "less than MEXC's smallest order, 1.10 USDT",
        ),
    ],
)
def test_the_next_step_is_told_from_the_last_balance(
    held: str | None, changes: dict[str, Any], words: str
):
    amount = None if held is None else Decimal(held)

    text = next_step(account(**changes), held=amount, rules=rules())

    assert words in text


def test_a_check_that_traded_does_not_tell_what_is_held_now():
    order = intent(quote_after="40.79")
    look = a_look(verdict=OrderPlaced(order.client_order_id, Side.BUY, Decimal("17.10")))

    assert held_at(look, settings()) is None
    assert held_at(look, settings(), order=intent(run_id="another")) is None
    assert held_at(look, settings(), order=order) == Decimal("40.79")


def test_an_ambiguous_value_gets_a_button_for_each_meaning():
    ambiguous = parse_threshold("0.05")
    assert isinstance(ambiguous, Ambiguous)

    view = question_view(ambiguous=ambiguous, typed_text="0.05", confirmation_id="q-1")

    assert "“0.05”" in check_message(view)
    assert view.keyboard is not None
    assert [row[0].text for row in view.keyboard.inline_keyboard] == [
        "/setthreshold 5%",
        "/setthreshold 0.05 USDT",
    ]


@pytest.mark.parametrize("topic", Topic)
def test_a_value_that_is_none_gets_the_right_form_and_an_example(topic: Topic):
    text = check_message(not_understood_view(topic=topic, typed_text="<b>&"))

    assert "“<b>&”" in text
    assert f"/{topic.value}" in text


@pytest.mark.parametrize("rule", InputRule)
def test_a_refused_value_is_answered_with_the_rule_that_it_broke(rule: InputRule):
    text = check_message(not_understood_view(topic=Topic.LIMITS, typed_text="x", rule=rule))

    assert len(text.splitlines()) == (3 if rule is InputRule.FORM else 4)


def test_a_key_typed_into_the_wrong_command_is_not_repeated():
    view = not_understood_view(topic=Topic.TARGET, typed_text="mx0aBYs33eIilxBWC5")

    assert "mx0" not in view.text


@pytest.mark.parametrize("topic", SETTINGS_TOPICS)
def test_a_bare_setting_command_says_the_value_and_how_to_change_it(topic: Topic):
    text = check_message(ask_view(topic=topic, settings=settings()))

    assert f"/{topic.value}" in text


def test_a_bare_setpair_offers_the_tokens_that_are_held():
    odd = (MNTL, Asset("币安"), Asset("A" * 16), *(Asset(f"T{n}") for n in range(9)))
    view = ask_view(topic=Topic.PAIR, settings=settings(), tokens=odd)
    none = ask_view(topic=Topic.PAIR, settings=settings(), tokens=(MNTL,))

    check_message(view)
    assert view.keyboard is not None
    assert [b.text for row in view.keyboard.inline_keyboard for b in row] == [
        f"/setpair T{n}USDT" for n in range(6)
    ]
    assert none.keyboard is None


def test_what_is_no_setting_has_no_value_to_echo():
    with pytest.raises(ValueError, match="no setting"):
        ask_view(topic=Topic.LOGS, settings=settings())


def test_a_pair_that_is_not_there_leaves_the_old_one():
    for view in (
        pair_unavailable_view(account=account(), wanted="<X>USDT"),
        not_checked_view(settings=settings(), wanted="<X>USDT"),
    ):
        text = check_message(view)

        assert "<X>USDT" in text
        assert "still MNTL/USDT" in text


def test_without_a_key_a_pair_may_only_be_hidden():
    text = check_message(pair_unavailable_view(account=account(sealed_key=None), wanted="XUSDT"))

    assert "To add yours: /connect" in text


def test_a_closed_question_changes_nothing():
    assert "Nothing changed" in check_message(question_closed_view())


def test_pausing_says_that_nothing_leaves_and_what_already_left():
    paused = account(settings=settings(paused=True))

    first = check_message(paused_view(account=paused, already=False, unresolved=intent()))
    again = check_message(paused_view(account=paused, already=True))

    assert first.startswith("⏸ PAUSED · Trading is paused\nNo order leaves from now on.")
    assert "One order may still fill: it was sent before, for about 17.10 USDT." in first
    assert again.startswith("⏸ PAUSED · Paused already")


@pytest.mark.parametrize(
    ("dry_run", "words"), [(False, "with real money"), (True, "on paper, with live prices")]
)
def test_resuming_says_whose_money_it_is_and_what_comes_next(dry_run: bool, words: str):
    wishes = settings(dry_run=dry_run)
    view = resumed_view(
        account=account(settings=wishes),
        already=False,
        now=NOW,
        outlook=Outlook(look=a_look(), rules=rules(min_notional=5)),
    )

    text = check_message(view)

    assert words in text
    assert "Next check: I buy MNTL" in text
    assert "MEXC's smallest order is" in text
    assert "Trading is on already" in check_message(
        resumed_view(account=account(settings=wishes), already=True, now=NOW, outlook=Outlook())
    )


def test_resuming_without_a_key_names_both_ways_out():
    text = check_message(
        cannot_resume_view(account=account(sealed_key=None, settings=settings(paused=True)))
    )

    assert "/connect" in text
    assert "/dryrun on" in text


def why(look: CheckResult | None, **more: Any) -> str:
    values: dict[str, Any] = {"account": account(), "now": NOW, "rules": rules()} | more
    return check_message(why_view(look=look, **values))


def test_why_before_any_check_says_so():
    assert "There was no check yet." in why(None)


def test_why_tells_what_was_seen_and_decided():
    text = why(a_look("40.10", trigger=Trigger.PERSON))

    assert text.startswith("🟢 LIVE · MNTL/USDT")
    assert "48s ago, after a tap." in text
    assert "It saw 40.10 USDT and 91,870 MNTL." in text
    assert "Open orders hold 12 MNTL of that." in text
    assert "Target 40.00 USDT, band 38.00 – 42.00 USDT." in text
    assert text.count("inside the band") == 1
    assert text.endswith("The next check looks again.")


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (
            PlanChanged(Side.SELL, Decimal("8.8")),
            "The right order was to sell MNTL for about 8.80 USDT.",
        ),
        (
            NoTrade(UnderMinimum(Side.BUY, Decimal("0.5"), Decimal("1.1"))),
            "No order: Buying MNTL for 0.50 USDT is too small",
        ),
        (OrderPending(ClientOrderId("bl1")), "an earlier one is not confirmed"),
        (AwaitingSettlement(), "does not show the last trade yet"),
        (
            AwaitingSettlement(told=True),
            "told me of a change, and its balance does not show it yet",
        ),
        (CheckFailed(IncidentKind.KEY_REFUSED, "<10072>"), "MEXC answered “<10072>”."),
        (OrderPlaced(ClientOrderId("bl1"), Side.SELL, Decimal(9)), "What became of it: /history"),
    ],
)
def test_why_names_the_reason_of_each_verdict(verdict: Decision, words: str):
    assert words in why(a_look(verdict=verdict))


def test_why_foresees_nothing_from_a_balance_that_lacks_what_was_told():
    told = a_look(verdict=AwaitingSettlement(told=True))

    assert "Next check:" not in why(told)
    assert why(told).endswith("I read the balance again within seconds, and decide then.")


def test_why_names_both_readings_of_a_balance_that_was_read_twice():
    odd = BalanceSnapshot(
        symbol=MNTLUSDT, quote=Balance(), base=Balance(Decimal(7)), held=Decimal(0)
    )
    look = a_look("40.10")

    text = why(replace(look, first=odd))
    agreed = why(replace(look, first=look.seen))

    assert "First MEXC said 0.00 USDT and 7 MNTL." in text
    assert "3 s later it said 40.10 USDT and 91,870 MNTL." in text
    assert "Both times MEXC said 40.10 USDT and 91,870 MNTL" in agreed
    assert "3 s" not in why(look)


def test_why_says_what_of_an_answer_makes_no_sense():
    failed = CheckFailed(IncidentKind.BAD_DATA, "MEXC lists USDT twice (40 and 0)")

    assert "“MEXC lists USDT twice (40 and 0)”" in why(a_look(verdict=failed))


def test_why_of_a_check_that_saw_nothing_tells_the_failure():
    text = why(a_look(verdict=CheckFailed(IncidentKind.UNREACHABLE, ""), seen=None))

    assert "I could not reach MEXC." in text
    assert "No order was sent." in text
    assert "It saw" not in text
    assert "on target or near enough" in why(a_look(seen=None))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (OrderState.FILLED, "It bought 8,142 MNTL for 16.30 USDT."),
        (OrderState.UNFILLED, "cancelled it unfilled"),
        (OrderState.REJECTED, "refused it"),
        (OrderState.DROPPED, "never reached MEXC"),
        (OrderState.UNKNOWN, "not known yet"),
    ],
)
def test_why_tells_what_became_of_the_order(state: OrderState, words: str):
    order = intent(state=state, execution=execution(), quote_after="40.79")
    verdict = OrderPlaced(order.client_order_id, Side.BUY, Decimal("17.10"))

    text = why(a_look(verdict=verdict), order=order)

    assert "So it sent an order to buy MNTL for about 17.10 USDT." in text
    assert words in text


def test_why_counts_repeats_and_notices_changed_settings():
    trouble = Incident(
        kind=IncidentKind.CLOCK,
        detail="",
        since=NOW - timedelta(minutes=14),
        last_at=NOW,
        count=37,
    )
    other = account(settings=settings(symbol=Symbol("BTCUSDT")))

    text = why(a_look(), account=other, trouble=trouble)

    assert "37 times in 14 min" in text
    assert "The settings changed since" in text
    assert "37 times" not in why(a_look(), trouble=replace(trouble, count=1))


@given(
    held=st.decimals(min_value=0, max_value=10**18, places=12),
    target=st.decimals(min_value="0.01", max_value=10**9, places=2),
)
def test_changes_and_whys_fit_a_phone_with_any_numbers(held: Decimal, target: Decimal):
    look = a_look(str(held))
    changed(Topic.TARGET, after=settings(target=target), look=look, rules=rules())
    why(look, account=account(settings=settings(target=target)))
