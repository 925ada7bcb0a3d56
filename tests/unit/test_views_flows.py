"""`/profit deposits` on a phone: what came and went, and what a correction does."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.access.permissions import may_tap_with_anothers, needed_for_press
from bot.interaction.callback_data import FlowPage, FlowsPage, decode
from bot.interaction.message import Message
from bot.views.access import not_allowed_notice
from bot.views.flows import corrected_view, correction_view, flow_changed_view, flows_view
from engine.domain.accounts.flows import Correction
from engine.domain.accounts.members import Role
from engine.domain.market.pairs import USDT, Asset, Symbol
from engine.domain.profit.corrections import movements
from engine.domain.profit.entries import Change, PriceLine, Prices, Trade
from engine.domain.profit.report import ProfitReport, profit
from engine.domain.profit.steps import Held
from tests.builders import MNTL, account
from tests.fakes.clock import START
from tests.unit.phone import check_message
from tests.unit.profits import bought, moved

_DAY = timedelta(days=1)
_PAGE = FlowsPage("7d", 0)
_SINCE = START - 7 * _DAY


def report(*events: Trade | Change, **facts: Any) -> ProfitReport:
    prices = {MNTL: PriceLine([_SINCE, START], [Decimal("0.002"), Decimal("0.0023")])}
    found = profit(
        events or FLOWS,
        now=facts.pop("now", Held(MNTL, Decimal("93.08"), Decimal(7500))),
        prices=Prices(prices),
        since=_SINCE,
        until=START,
        **facts,
    )
    assert found is not None
    return found


FLOWS = (
    moved(START - 5 * _DAY, USDT, "57.10", "82.10", "0.002"),
    moved(START - 4 * _DAY, USDT, "82.10", "92.10", "0.0021"),
    moved(START - 4 * _DAY, MNTL, "9000", "4000", "0.0021"),
    bought(START - 3 * _DAY, 3500, "7.02", before=("97.10", 4000)),
)


def text_of(message: Message) -> str:
    return check_message(message)


def numbers(message: Message) -> list[FlowPage]:
    assert message.keyboard is not None
    every = [one for row in message.keyboard.inline_keyboard for one in row]
    pressed = [decode(str(one.callback_data)) for one in every]
    return [press for press in pressed if isinstance(press, FlowPage)]


def test_what_came_and_went_is_listed_newest_first():
    message = flows_view(account=account(), report=report(), page=_PAGE, may_correct=True)

    assert text_of(message) == (
        "🟢 LIVE · Deposits, 7 days\n"
        "Deposits less withdrawals: +32.50 USDT.\n"
        "Times in UTC, newest first.\n"
        "1 22 Nov 12:00 came in, about\n"
        "  +3.00 USDT\n"
        "2 19 Nov 12:00 came in, about\n"
        "  +5.00 USDT\n"
        "3 18 Nov 12:00 by hand\n"
        "  +10.00 USDT\n"
        "  -5,000 MNTL, -10.50 USDT\n"
        "  counts -0.50 USDT\n"
        "4 17 Nov 12:00 came in\n"
        "  +25.00 USDT\n"
        "Tap a number to correct it.\n"
        "What you made: /profit 7d"
    )
    assert len(set(numbers(message))) == 4


def test_who_may_not_correct_sees_the_list_alone():
    message = flows_view(account=account(), report=report(), page=_PAGE, may_correct=False)
    assert numbers(message) == []
    assert "Tap" not in text_of(message)


@pytest.mark.parametrize("is_shared", [True, False])
def test_whoever_looks_sees_the_list_and_only_an_owner_corrects(is_shared: bool):
    opens = FlowPage(1, 1, 1_795_348_800_000, "7d")
    assert needed_for_press(_PAGE, is_shared=is_shared) is Role.VIEWER
    assert needed_for_press(opens, is_shared=is_shared) is Role.OWNER
    assert not any(may_tap_with_anothers(opens, role) for role in (Role.VIEWER, Role.TRADER))
    assert "Only owners" in not_allowed_notice(needed=Role.OWNER)


def test_the_consequence_of_each_answer_stands_above_its_button():
    unseen, by_hand = movements(report())[1:3]
    asked = {"account": account(), "made": Decimal("1.31"), "span": "7d", "question_id": "q"}

    text = text_of(correction_view(movement=unseen, **asked))  # type: ignore[arg-type]
    assert text == (
        "🟢 LIVE · What was it?\n"
        "19 Nov 12:00: +5.00 USDT.\n"
        "I did not see it move. It counts as a deposit, and reports say “About”.\n"
        "Mine, if you moved it yourself. Made stays +1.31.\n"
        "Result, if it was interest, a fee or a trade of yours. Made +1.31 → +6.31 (7 days).\n"
        "No money moves. All reports and the digest count it so.\n"
        "Tap within 90 s. No tap: nothing changes.\n"
        "Later: /profit deposits"
    )
    text = text_of(correction_view(movement=by_hand, **asked))  # type: ignore[arg-type]
    assert "18 Nov 12:00: +10.00 USDT and -5,000 MNTL." in text
    assert "It counts as a withdrawal of 0.50 USDT." in text
    assert "Made +1.31 → +0.81 (7 days)." in text


@pytest.mark.parametrize("correction", [*Correction, None])
def test_a_correction_is_told_and_can_be_changed_again(correction: Correction | None):
    unseen = movements(report())[1]
    said = dict.fromkeys(unseen.keys, correction) if correction else {}
    after = report(corrections=said)

    message = corrected_view(
        account=account(),
        was=None,
        correction=correction,
        movement=movements(after)[1],
        made=after.made,
        span="7d",
    )
    marked = flows_view(account=account(), report=after, page=_PAGE, may_correct=True)

    assert [len(numbers(one)) for one in (message, marked)] == [1, 4]
    text = text_of(marked)
    if correction is Correction.RESULT:
        assert "You said: a result. It counts as made." in text_of(message)
        assert "Corrected to results: +5.00 USDT." in text
        assert "2 19 Nov 12:00 came in\n  +5.00 USDT\n  corrected: a result\n" in text
    else:
        assert "Made stays" in text_of(message)
        assert ("corrected: yours" in text) == (correction is Correction.MINE)


def test_without_a_report_the_correction_is_told_all_the_same():
    message = corrected_view(
        account=account(),
        was=None,
        correction=None,
        movement=None,
        made=Decimal(0),
        span="2026-11-01",
    )
    assert "It counts as I found it again." in text_of(message)
    assert "/profit deposits" in text_of(flow_changed_view(account=account(), span="all"))


def test_many_flows_are_paged_and_large_ones_and_changes_of_the_pair_fit():
    other = Asset("OTHER")
    events: list[Any] = [
        moved(START - 6 * _DAY, MNTL, 5, "123456789.5"),
    ]
    events += [
        moved(
            START - (9 - number) * _DAY / 2, USDT, number * 98_765_432, (number + 1) * 98_765_432
        )
        for number in range(7)
    ]
    events.append(bought(START - _DAY, 1, 1, before=(events[-1].after, 5), symbol=Symbol("OTHERUSDT")))  # fmt: skip
    now = Held(other, events[-1].quote_before - 1, Decimal(6))
    lines = {one: PriceLine([_SINCE], [Decimal("0.002")]) for one in (MNTL, other)}
    found = profit(events, now=now, prices=Prices(lines), since=_SINCE, until=START)
    assert found is not None

    nothing = report(
        bought(START - _DAY, 1, 1, before=(8, 0)), now=Held(MNTL, Decimal(7), Decimal(1))
    )
    first, last, none = (
        flows_view(account=account(), report=known, page=FlowsPage("all", page), may_correct=True)
        for known, page in ((found, 0), (found, 1), (nothing, 0))
    )
    assert "+98,765,432.00 USDT" in text_of(first)
    assert "pair changed" in text_of(first) + text_of(last)
    assert "Nothing came in and nothing went out." in text_of(none)
