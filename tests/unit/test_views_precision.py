"""Amounts at the pair's own precision on every screen: awkward numbers, and no digit too many."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bot.interaction.callback_data import HistoryPage, PanelPage
from bot.interaction.message import Message
from bot.parsing.settings import Topic
from bot.views.alerts.alerts import alert_view
from bot.views.api_key import connected_view
from bot.views.balance import balance_view
from bot.views.components.no_trade_reasons import reason_text
from bot.views.history import history_view
from bot.views.low_balance import mark_set_view
from bot.views.pause_resume import resumed_view
from bot.views.rebalance_plan import plan_view
from bot.views.setting_change import ask_target_view
from bot.views.settings import changed_view
from bot.views.settings_panel import page_view, panel_view
from bot.views.status import status_view
from bot.views.trade_details import story_view
from bot.views.why import why_view
from docs.gallery_cards import CARDS
from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.accounts.low_balance import LowBalanceThreshold
from engine.domain.accounts.settings import TradingMode
from engine.domain.alerts.alerts import DriftNoticed, PlanOffered, trade_settled
from engine.domain.alerts.deposit_alerts import BalanceChanged
from engine.domain.market.pairs import USDT, Asset, PairRules
from engine.domain.orders.order import Execution, Fees, OrderState, Trigger
from engine.domain.rebalancing.check_result import BalanceSnapshot, CheckResult, NoTrade
from engine.domain.rebalancing.forecast import forecast
from engine.domain.rebalancing.planner import InsideBand, NothingFree, plan
from engine.exchanges.interface import KeyInspection
from engine.rebalancing.preview import Foreseen, Outlook
from tests.builders import MNTL, MNTLUSDT, account, book, holdings, intent, rules, settings
from tests.fakes.clock import START

D = Decimal
HELD = holdings(usdt="57.123456789", mntl="91858.987654321", mntl_locked="12.3456789")
BOOK = book(
    asks=[("0.002002", "3000"), ("0.0020134567", "999999")],
    bids=[("0.0019987654", "3000"), ("0.0019", "999999")],
)
# A price is no amount: it is as fine as the pair's prices are.
_PRICES = re.compile(r"(?:cost|Seen|Average|Bound|Expected) +[\d.,]+ USDT|→ [\d.,]+ USDT within")
AMOUNT = re.compile(r"(-?[\d,]+(?:\.(\d+))?) (?:</b>)?(MNTL|USDT)\b")
ME = account()


def foreseen(known: PairRules, *, target: int = 40) -> Foreseen:
    wanted = settings(target=target)
    decided = plan(holdings=HELD, settings=wanted, rules=known, book=BOOK)
    decided, comes_to = forecast(decided, rules=known, book=BOOK, last_price=D("0.0020012345"))
    seen = BalanceSnapshot.of(wanted, HELD, BOOK)
    look = CheckResult(
        at=START,
        trigger=Trigger.PERSON,
        target=wanted.fixed_goal.target,
        band=wanted.fixed_goal.band,
        verdict=NoTrade(InsideBand()),
        seen=seen,
    )
    return Foreseen(decided, None, look, seen, known, comes_to)


def alerts(known: PairRules) -> Iterator[Message]:
    step = known.quantity_step
    for target in (40, 90):
        now = foreseen(known, target=target)
        assert now.plan.order is not None
        assert now.forecast is not None
        noticed = DriftNoticed(
            dry_run=False,
            symbol=MNTLUSDT,
            side=now.plan.order.side,
            expected_quote=now.forecast.quote_amount,
            expected_base=now.forecast.base_quantity,
            held=now.plan.held,
            target=D(target),
            band=settings(target=target).fixed_goal.band,
            asked_quote=now.plan.order.expected_quote,
            held_after=now.forecast.held_after,
        )
        yield alert_view(noticed)
        yield alert_view(PlanOffered(confirmation_id="q", drift=noticed))
    for asset, before, after in (
        (MNTL, "91858.987654321", "12.3456789"),
        (USDT, "57.123456789", "1.98765"),
    ):
        moved = BalanceChange(
            at=START, dry_run=False, asset=asset, before=D(before), after=D(after)
        )
        yield alert_view(
            BalanceChanged(
                dry_run=False,
                symbol=MNTLUSDT,
                moved=(moved,),
                by_hand=False,
                held=D("57.123456789"),
                target=D(40),
                band=settings().fixed_goal.band,
                autonomy=TradingMode.AUTO,
                quantity_step=step,
            )
        )


def screens(known: PairRules) -> Iterator[Message]:
    traded = intent(
        state=OrderState.FILLED,
        execution=Execution(known.floor_quantity(D("8142.7654321")), D("16.3002840123")),
        fees=Fees({USDT: D("0.0081501420"), Asset("MX"): D("0.00123456789123")}),
        quote_before="57.123456789",
        quote_after="40.7915658468",
        resolved_at=START,
    )
    yield alert_view(trade_settled(traded, late=True))
    yield history_view(account=ME, events=[traded], page=0, size=5, has_more=False)
    yield story_view(account=ME, order=traded, asked_by=None, back=HistoryPage(0, 5))
    yield balance_view(
        account=ME, holdings=HELD, prices={MNTL: D("0.0020012345")}, now=START, rules=known
    )
    for target in (40, 90):
        now, who = foreseen(known, target=target), account(settings=settings(target=target))
        shown: Any = {"look": now.look, "rules": known, "foreseen": now}
        yield plan_view(
            account=who,
            plan=now.plan,
            rules=known,
            forecast=now.forecast,
            confirmation_id="q",
            seen=now.seen,
        )
        yield ask_target_view(
            account=ME, target=D(target), foreseen=now, confirmation_id="q", in_panel=False
        )
        yield status_view(account=who, now=START, look=now.look, rules=known, last_trade=traded)
        yield why_view(account=who, now=START, **shown)
        yield resumed_view(account=who, already=False, now=START, outlook=Outlook(**shown))
        yield changed_view(
            topic=Topic.TARGET,
            account=who,
            before=settings(target=7),
            now=START,
            outlook=Outlook(**shown),
        )
        yield panel_view(account=who, now=START, outlook=Outlook(**shown))
        yield page_view(page=PanelPage.TARGET, account=who, now=START, outlook=Outlook(**shown))
        yield connected_view(
            account=who,
            facts=KeyInspection(frozenset(), 90, (), HELD),
            rules=known,
            deleted=True,
            foreseen=now,
        )
    mark = LowBalanceThreshold(asset=MNTL, below=D(100_000))
    yield mark_set_view(
        account=ME, mark=mark, changed=True, left=D("91858.987654321"), rules=known
    )
    few = replace(
        HELD, balances=holdings(usdt=20, mntl="0.987654321", mntl_locked="3.21").balances
    )
    reason = plan(holdings=few, settings=settings(), rules=known, book=BOOK).reason
    assert isinstance(reason, NothingFree)
    yield Message(reason_text(reason, symbol=MNTLUSDT))


def digits_too_many(text: str, decimals: int) -> list[str]:
    most = {"MNTL": decimals, "USDT": 2}
    text = _PRICES.sub("", text)
    return [found[0] for found in AMOUNT.finditer(text) if len(found[2] or "") > most[found[3]]]


@pytest.mark.parametrize("decimals", [0, 2, 5])
def test_no_screen_and_no_alert_shows_a_digit_beyond_the_pairs_precision(decimals: int):
    known = rules(quantity_step=D(1).scaleb(-decimals))

    for view in (*screens(known), *alerts(known)):
        assert digits_too_many(view.text, decimals) == []
        assert "E-" not in view.text
        assert "E+" not in view.text


def test_the_gallery_keeps_to_whole_tokens_and_cents():
    shown = [view for card in CARDS for view in card.chat if isinstance(view, Message)]

    for view in shown:
        assert digits_too_many(view.text, 0) == []


def test_a_price_is_no_finer_than_the_pairs_step():
    known = rules(price_step="0.001", quantity_step="0.001")
    decided = plan(
        holdings=holdings(usdt=900),
        settings=settings(),
        rules=known,
        book=book(asks=[("12.3456", 1000)]),
    )
    decided, comes_to = forecast(
        decided, rules=known, book=book(asks=[("12.3456", 1000)]), last_price=D("12.3456")
    )

    view = plan_view(account=ME, plan=decided, rules=known, forecast=comes_to, confirmation_id="q")

    assert "at about 12.35" in view.text
