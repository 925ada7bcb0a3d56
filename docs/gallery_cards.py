"""What `docs/gallery.md` shows: a line a card, made by the view that the bot sends."""  # noqa: INP001 - beside the documents, no package

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from bot.interaction.callback_data import FlowsPage, HistoryPage, PanelPage, WhyPage
from bot.interaction.message import Message
from bot.parsing.settings import Ambiguous, Topic
from bot.views.access import not_allowed_view, stranger_view, welcome_view, wrong_code_view
from bot.views.alert_preferences import alerts_view
from bot.views.alerts.alerts import alert_view
from bot.views.alerts.shared import shared_alert_view
from bot.views.api_key import (
    ask_disconnect_view,
    ask_key_view,
    ask_secret_view,
    connect_failed_view,
    connected_view,
)
from bot.views.ask_resume import ask_resume_view
from bot.views.balance import balance_view
from bot.views.basket_builder import builder_view
from bot.views.components.listening import ask_plain_resume_view, ask_plain_value_view
from bot.views.costs import costs_view
from bot.views.crash_guard import crash_guard_changed_view
from bot.views.deposits import deposits_view
from bot.views.errors import error_view
from bot.views.execution import execution_view, orders_changed_view
from bot.views.flows import correction_view, flows_view
from bot.views.general import unknown_command_view, version_view, waiting_view
from bot.views.halt import halt_alert_view, halted_view
from bot.views.help import help_view
from bot.views.history import history_view
from bot.views.limits import limits_view
from bot.views.manual_trade import manual_form_view
from bot.views.members import members_view
from bot.views.pacing import cooldown_changed_view, schedule_changed_view
from bot.views.pause_resume import paused_view, resumed_view
from bot.views.portfolio_plan import portfolio_plan_view
from bot.views.profit import no_profit_view, profit_view
from bot.views.rebalance_plan import no_key_view, plan_failed_view, plan_view
from bot.views.replay import replay_view
from bot.views.settings import ask_view, not_understood_view, question_view
from bot.views.settings_panel import page_view, panel_view
from bot.views.share import ask_share_view, joined_share_view, link_view, shares_view
from bot.views.shared_alerts import shared_alerts_view
from bot.views.status import retired_card_view, status_view
from bot.views.stray_api_keys import group_refused_view
from bot.views.target import consequence_view, target_view
from bot.views.target_settings import destination_changed_view, protect_changed_view
from bot.views.trade_details import story_view
from bot.views.trading_mode import mode_view
from bot.views.why import why_view
from docs.basket_samples import BASKET, BTC, ETH, HELD, MX, look, planned
from docs.card_samples import (
    AFTER,
    ARRIVED,
    BASKET_LOOK,
    BEFORE,
    COSTS,
    DRIFT,
    FACTS,
    FLOWS,
    HOUR,
    INPUTS,
    KEYLESS,
    LATER,
    LOOK,
    NEXT,
    PROFIT,
    RICH,
    SHARE,
    STEADY,
    STUCK,
    TERMS,
    THIN,
    TRADE,
    TROUBLE,
    WAITING,
    WEEK,
    D,
    account_with,
    asked,
    by_hand,
    over_time,
    status_card,
    trouble_alert,
)
from docs.story import (
    ACCOUNT,
    MNTL,
    NOON,
    RULES,
    SETTINGS,
    SYMBOL,
    Typed,
    foreseen,
    seen,
    target_set,
)
from engine.accounts.profit import NoReport
from engine.domain.accounts.account import Halt
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.accounts.members import Member, Role
from engine.domain.accounts.risk_limits import Recent
from engine.domain.accounts.shares import Share
from engine.domain.alerts.alerts import (
    Digest,
    Halted,
    IncidentResolved,
    LowBalanceReached,
    MemberJoined,
    OrderNeedsPerson,
    OrderUnclear,
    PlanOffered,
    PricesNotTaken,
    trade_settled,
)
from engine.domain.alerts.deposit_alerts import DepositKept, DepositTraded, DepositWaiting
from engine.domain.alerts.key_alerts import KeyEnding
from engine.domain.alerts.pace_alerts import GuardActed, SlotMissed
from engine.domain.alerts.pause_alerts import PauseEnded, ResumeAsked
from engine.domain.alerts.plan_alerts import PortfolioNoticed, PortfolioOffered
from engine.domain.alerts.preferences import AlertPreferences
from engine.domain.alerts.price_alerts import PriceMoved
from engine.domain.alerts.report_alerts import WeeklyFigures, WeeklyReport
from engine.domain.alerts.share_alerts import SharingBegun, SharingEnded
from engine.domain.alerts.shared_alerts import AccountChanged, GroupAnswered, GroupAsks
from engine.domain.alerts.slices_alerts import SlicedTradeOver
from engine.domain.alerts.stream_alerts import StreamsLost
from engine.domain.execution.bound import Slippage
from engine.domain.execution.slices import SlicesEnd
from engine.domain.market.pairs import USDT, Side
from engine.domain.orders.order import AccountId
from engine.domain.profit.corrections import movements
from engine.domain.profit.spans import Span
from engine.domain.rebalancing.check_result import (
    CheckFailed,
    OrderPending,
    OrderPlaced,
)
from engine.domain.rebalancing.manual_trade import ManualTrade
from engine.domain.rebalancing.planner import InsideBand, MarketBuy, Plan
from engine.domain.rebalancing.replay import replayed
from engine.domain.targets.crash_guard import CrashGuard
from engine.domain.targets.destination import Destination
from engine.domain.targets.draft import Draft
from engine.domain.targets.pacing import Pacing
from engine.domain.targets.target import FixedUsdt
from engine.domain.targets.timing import Schedule, When
from engine.errors import AddressRefused, Unavailable
from engine.rebalancing.preview import Outlook


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture: its file's name, the words above it, and the chat in it."""

    name: str
    caption: str
    chat: Sequence[Typed | Message]


# A line a card.
# fmt: off
CARDS: Sequence[Shown] = (
    Shown("status-live", "The live card", asked("/status", status_card(week=WEEK, live_every=timedelta(minutes=11)))),
    Shown("status-dry-run", "On paper", asked("/status", status_card(account_with(dry_run=True), last_trade=replace(TRADE, dry_run=True)))),
    Shown("status-paused", "Paused", asked("/status", status_card(account_with(paused=True)))),
    Shown("status-paused-1h", "Paused for an hour", asked("/status", status_card(account_with(paused=True), pause=HOUR))),
    Shown("status-halted", "Halted", asked("/status", status_card(replace(ACCOUNT, halted=True)))),
    Shown("status-pinned", "Pinned", asked("/status", status_card(pinned=True))),
    Shown("status-unclear", "An order is unclear", asked("/status", status_card(unresolved=STUCK, checked=replace(LOOK, verdict=OrderPending(STUCK.client_order_id))))),
    Shown("status-trouble", "MEXC is away", asked("/status", status_card(trouble=TROUBLE, look=replace(LOOK, at=NOON), checked=replace(LOOK, verdict=CheckFailed(IncidentKind.UNREACHABLE, ""))))),
    Shown("status-no-key", "Before there is a key", asked("/status", status_card(KEYLESS, look=None, checked=None, last_trade=None))),
    Shown("status-viewer", "For who may only look", asked("/status", status_card(for_viewer=True))),
    Shown("status-older", "A newer card is below", [retired_card_view()]),
    Shown("trade", "After a trade", [alert_view(trade_settled(TRADE, late=False))]),
    Shown("plan", "The plan", asked("/rebalance", plan_view(account=ACCOUNT, plan=NEXT.plan, rules=RULES, forecast=NEXT.forecast, confirmation_id="q"))),
    Shown("plan-thin", "The plan in a thin book", asked("/rebalance", plan_view(account=ACCOUNT, plan=Plan(held=D(100), order=MarketBuy(D(60), D(4696))), rules=RULES, forecast=THIN, confirmation_id="q"))),
    Shown("plan-nothing", "Nothing to do", asked("/rebalance", plan_view(account=ACCOUNT, plan=Plan(held=D("40.79"), reason=InsideBand()), rules=RULES, forecast=None, confirmation_id=None))),
    Shown("plan-no-key", "No key, no plan", asked("/rebalance", no_key_view(account=KEYLESS))),
    Shown("plan-failed", "No plan without balances", asked("/rebalance", plan_failed_view(account=ACCOUNT))),
    Shown("sell", "A trade by hand that the target would undo", asked("/sell 50%", by_hand(ManualTrade(Side.SELL, share=D("0.5"))))),
    Shown("buy", "A trade by hand", asked("/buy 20", by_hand(ManualTrade(Side.BUY, quote_amount=D(20)), RICH))),
    Shown("sell-over-time", "A larger trade in slices over time", asked("/sell 150 USDT over 1h", over_time(ManualTrade(Side.SELL, quote_amount=D(150)), timedelta(hours=1)))),
    Shown("sold-over-time", "A trade over time is over", [alert_view(SlicedTradeOver(dry_run=False, paused=True, symbol=SYMBOL, side=Side.SELL, end=SlicesEnd.DONE, slices=12, orders=12, base_quantity=D(75_113), quote_amount=D("150.07"), fees={USDT: D("0.08")}, fees_complete=True, cost=D("0.23"), left=D("0.004")))]),
    Shown("buy-bare", "What to buy is asked for", asked("/buy", manual_form_view(account=ACCOUNT, side=Side.BUY, is_listening=True))),
    Shown("pause", "Pause", asked("/pause", paused_view(account=account_with(paused=True), already=False))),
    Shown("pause-1h", "Pause for an hour", asked("/pause 1h", paused_view(account=account_with(paused=True), already=False, ends_at=NOON + timedelta(hours=1)))),
    Shown("pause-ended", "The pause is over", [alert_view(PauseEnded(dry_run=False, symbol=SYMBOL, side=Side.BUY, expected_quote=D("17.10")))]),
    Shown("resume-asked", "The pause is over, and the first order is big", [alert_view(ResumeAsked(dry_run=False, paused=True, symbol=SYMBOL, side=Side.BUY, expected_quote=Decimal(900), again_at=NOON + timedelta(hours=1)))]),
    Shown("resume", "Resume", asked("/resume", resumed_view(account=ACCOUNT, already=False, now=LATER, outlook=Outlook(look=LOOK, rules=RULES, foreseen=STEADY)))),
    Shown("resume-asks", "Resume, where the first order is large", asked("/resume", ask_resume_view(account=account_with(paused=True), foreseen=foreseen(account_with(paused=True), RICH, at=NOON), confirmation_id="q"))),
    Shown("set-target", "A setting and what it leads to", asked("/settarget 60", target_set(account_with(target=FixedUsdt(D(60))), AFTER, at=LATER))),
    Shown("plain-value", "A value without a question", asked("60", ask_plain_value_view(meant=Ambiguous(Topic.TARGET, ("60",)), typed_text="60", confirmation_id="A"))),
    Shown("plain-resume", "Resume without a slash", asked("resume", ask_plain_resume_view())),
    Shown("set-target-bare", "A setting is asked for", asked("/settarget", ask_view(topic=Topic.TARGET, settings=SETTINGS, is_listening=True))),
    Shown("set-target-unclear", "What may mean two things", asked("/settarget 1,000", question_view(ambiguous=Ambiguous(Topic.TARGET, ("1000 USDT", "1 USDT")), typed_text="1,000", confirmation_id="q"))),
    Shown("set-target-wrong", "What means nothing", asked("/settarget lots", not_understood_view(topic=Topic.TARGET, typed_text="lots"))),
    Shown("limits", "Limits", asked("/limits", limits_view(account=ACCOUNT, recent=Recent(turnover=D("16.30"), orders=1), rules=RULES, is_listening=True))),
    Shown("why", "Why nothing was done", asked("/why", why_view(account=ACCOUNT, now=LATER, look=LOOK, rules=RULES, foreseen=STEADY))),
    Shown("why-traded", "Why it traded", asked("/why", why_view(account=ACCOUNT, now=LATER, look=replace(seen(BEFORE, at=NOON), verdict=OrderPlaced(TRADE.client_order_id, Side.BUY, D("17.10"))), rules=RULES, foreseen=STEADY, order=TRADE))),
    Shown("replay", "An order, planned again", [replay_view(account=ACCOUNT, replay=replayed(replace(TRADE, **TERMS), INPUTS), back=WhyPage(0, 5))]),
    Shown("history", "History", asked("/history", history_view(account=ACCOUNT, events=[TRADE], page=0, size=5, has_more=True))),
    Shown("profit", "Profit", asked("/profit", profit_view(account=ACCOUNT, found=PROFIT, span=Span.WEEK))),
    Shown("profit-none", "No profit to tell", asked("/profit", no_profit_view(account=ACCOUNT, reason=NoReport.NO_RECORDS))),
    Shown("profit-deposits", "Deposits and withdrawals", asked("/profit deposits", flows_view(account=ACCOUNT, report=FLOWS, page=FlowsPage("7d", 0), may_correct=True))),
    Shown("profit-costs", "What trades cost", asked("/profit costs", costs_view(account=ACCOUNT, report=COSTS))),
    Shown("profit-correct", "Correcting one", [correction_view(account=ACCOUNT, movement=movements(FLOWS)[1], made=FLOWS.made, span="7d", question_id="q")]),
    Shown("balance", "Balance", asked("/balance", balance_view(account=ACCOUNT, holdings=AFTER, prices={MNTL: D("0.002")}, now=LATER))),
    Shown("connect-1", "Connecting, step by step", asked("/connect", ask_key_view(account=KEYLESS), ask_secret_view(deleted=True))),
    Shown("connect-2", "Connected", [connected_view(account=account_with(paused=True), facts=FACTS, rules=RULES, deleted=True, foreseen=foreseen(account_with(paused=True), BEFORE, at=NOON))]),
    Shown("connect-failed", "A key that does not work", [connect_failed_view(error=AddressRefused(code=700006, message="IP [203.0.113.7] not in the ip white list"), account=KEYLESS, deleted=True)]),
    Shown("disconnect", "Forgetting the key", asked("/disconnect", ask_disconnect_view(account=ACCOUNT, confirmation_id="q"))),
    Shown("welcome", "Let in", [welcome_view(account=KEYLESS, just_let_in=True)]),
    Shown("stranger", "A stranger", asked("/status", stranger_view(chat_id=6666, user_id=6666, has_code=True))),
    Shown("wrong-code", "A wrong pairing code", asked("/start 1234", wrong_code_view(tries_left=4))),
    Shown("not-allowed", "Not for this role", asked("/pause", not_allowed_view(role=Role.VIEWER, needed=Role.TRADER))),
    Shown("help", "Help", asked("/help", help_view(is_owner=True))),
    Shown("unknown", "A command that is none", asked("/stauts", unknown_command_view(name="stauts"))),
    Shown("version", "Version", asked("/version", version_view(version="1.2.3", uptime=timedelta(days=3, hours=4), python="3.13.1"))),
    Shown("waiting", "When it takes longer", asked("/balance", waiting_view())),
    Shown("error", "When MEXC is away", asked("/setpair ABC", error_view(Unavailable("no answer")))),
    Shown("trouble", "MEXC refuses the key", [trouble_alert(IncidentKind.ADDRESS_REFUSED, "IP [203.0.113.7] not in the ip white list", paused=True)]),
    Shown("trouble-over", "It is over", [alert_view(IncidentResolved(dry_run=False, kind=IncidentKind.UNREACHABLE, count=37, since=NOON, at=NOON + timedelta(minutes=14)))]),
    Shown("order-unclear", "An order without an answer", [alert_view(OrderUnclear(dry_run=False, symbol=SYMBOL, side=Side.BUY, expected_quote=D("17.10")))]),
    Shown("order-needs-person", "An order that needs your eyes", [alert_view(OrderNeedsPerson(dry_run=False, symbol=SYMBOL, side=Side.BUY, expected_quote=D("17.10"), client_order_id=TRADE.client_order_id))]),
    Shown("settings", "All settings", asked("/settings", panel_view(account=ACCOUNT, now=LATER, outlook=Outlook(look=LOOK, rules=RULES, foreseen=STEADY)))),
    Shown("settings-target", "A page of the settings", [page_view(page=PanelPage.TARGET, account=ACCOUNT, now=LATER, outlook=Outlook(look=LOOK, rules=RULES, foreseen=STEADY))]),
    Shown("settings-orders", "The page of orders", [page_view(page=PanelPage.EXECUTION, account=ACCOUNT, now=LATER, outlook=Outlook(look=LOOK, rules=RULES, foreseen=STEADY))]),
    Shown("mode", "The three modes", asked("/mode", mode_view(account=ACCOUNT, now=LATER))),
    Shown("execution", "Which orders are sent", asked("/execution", execution_view(account=ACCOUNT))),
    Shown("destination", "Where a trade leads", asked("/destination half", destination_changed_view(account=account_with(destination=Destination.HALF), changed=True, now=LATER, outlook=Outlook(look=LOOK, rules=RULES, foreseen=STEADY)))),
    Shown("protect", "What is never sold", asked("/protect MNTL 50000", protect_changed_view(account=account_with(protected={MNTL: D(50_000)}), before={}, holdings=AFTER, now=LATER, outlook=Outlook(look=LOOK, rules=RULES, foreseen=STEADY)))),
    Shown("slippage", "How far they may trade", asked("/slippage 1% strict", orders_changed_view(account=account_with(slippage=Slippage(strict=True)), topic=Topic.SLIPPAGE, changed=True, now=LATER, outlook=Outlook(look=LOOK, rules=RULES, foreseen=STEADY)))),
    Shown("schedule", "Set times", asked("/schedule mon 09:00", schedule_changed_view(account=account_with(pacing=Pacing(schedule=Schedule((540,), (0,)), when=When.BOTH)), changed=True, now=LATER, outlook=Outlook(look=LOOK, rules=RULES, foreseen=STEADY)))),
    Shown("cooldown", "A rest after a trade", asked("/cooldown 30m", cooldown_changed_view(account=account_with(pacing=Pacing(cooldown=timedelta(minutes=30))), changed=True, now=LATER, outlook=Outlook(look=LOOK, rules=RULES, foreseen=STEADY)))),
    Shown("crash-guard", "A fall that stops buying", asked("/crashguard 20%", crash_guard_changed_view(account=account_with(pacing=Pacing(crash_guard=CrashGuard(D("0.2")))), changed=True, now=LATER))),
    Shown("guard-acted", "The crash guard stopped buying", [alert_view(GuardActed(dry_run=False, fall=D("0.213"), allowed=D("0.2")))]),
    Shown("slot-missed", "A set time was missed", [alert_view(SlotMissed(dry_run=False, at=NOON, next_at=NOON + timedelta(days=1)))]),
    Shown("prices-not-taken", "A pair without such orders", [alert_view(PricesNotTaken(dry_run=False, symbol=SYMBOL))]),
    Shown("target", "A target, and what it means now", asked("/target", target_view(account=HELD, look=look()))),
    Shown("target-card", "Before a target is set", asked("/target BTC 50 ETH 25 MX 5 USDT 20", consequence_view(account=ACCOUNT, wanted=BASKET, look=look(), confirmation_id="q"))),
    Shown("target-build", "A basket by buttons", asked("/target build", builder_view(account=ACCOUNT, draft=Draft(((BTC, 50), (ETH, 25))), offered=(BTC, ETH, MX), worth={BTC: D(572), ETH: D(180), MX: D(50), USDT: D("152.40")}, step=5, draft_id="d"))),
    Shown("plan-whole", "Several trades, one tap", asked("/rebalance", portfolio_plan_view(account=HELD, planned=planned(to_centre=True), confirmation_id="q"))),
    Shown("plan-whole-offered", "Asked before several trades", [alert_view(PortfolioOffered(confirmation_id="q", notice=PortfolioNoticed.of(planned().plan, dry_run=False)))]),
    Shown("why-basket", "Why, of a basket", asked("/why", why_view(account=HELD, now=LATER, look=BASKET_LOOK, planned=planned()))),
    Shown("status-basket", "The card of a basket", asked("/status", status_view(account=HELD, now=LATER, look=BASKET_LOOK, checked=BASKET_LOOK))),
    Shown("plan-offered", "Asked before a trade", [alert_view(PlanOffered(confirmation_id="q", drift=DRIFT))]),
    Shown("drift-noticed", "Only told of it", [alert_view(DRIFT)]),
    Shown("deposit", "Money came in", [alert_view(DepositTraded(symbol=SYMBOL, moved=ARRIVED, quantity_step=None, held=D(58), target=D(40), dry_run=False, order_limit=D(400), has_choices=True))]),
    Shown("deposits", "What happens to a deposit", asked("/deposits", deposits_view(account=ACCOUNT, now=LATER))),
    Shown("deposit-waits", "A deposit that waits", [alert_view(DepositWaiting(asks=False, **WAITING))]),
    Shown("deposit-asked", "Asked about a deposit", [alert_view(DepositWaiting(asks=True, **WAITING))]),
    Shown("deposit-kept", "A deposit that is kept", [alert_view(DepositKept(symbol=SYMBOL, moved=ARRIVED, quantity_step=None, held=D(58), former_target=D(40), target=D(58), dry_run=False, question_id="q"))]),
    Shown("alerts", "How loud", asked("/alerts", alerts_view(account=ACCOUNT, settings=AlertPreferences(smallest=D(5)), now=LATER))),
    Shown("low-mark", "A token runs low", [alert_view(LowBalanceReached(dry_run=False, symbol=SYMBOL, asset=MNTL, below=D(100_000), left=D(91_858)))]),
    Shown("price-moved", "A price has moved", [alert_view(PriceMoved(dry_run=False, asset=MNTL, fraction=D("0.1"), before=D("0.002"), after=D("0.002208"), since=NOON - timedelta(hours=3), at=NOON))]),
    Shown("streams-lost", "Streams were lost together (owner)", [alert_view(StreamsLost(live=400, of=1000, since=NOON))]),
    Shown("digest", "The day's digest", [alert_view(Digest(dry_run=False, since=NOON - timedelta(days=1), at=NOON, target=D(40), trades=3, bought=D("21.30"), sold=D("5.00"), fees={USDT: D("0.013")}, small=1, smallest=D(5), held_before=D("40.10"), held=D("40.79"), made=D("1.31"), brought=D("0.06")))]),
    Shown("weekly", "The weekly report, below its picture", [alert_view(WeeklyReport(dry_run=False, since=NOON - timedelta(days=7), at=NOON, trading=True, next_at=NOON + timedelta(days=7), figures=WeeklyFigures(start=D("198.20"), now=D("224.51"), deposits=D(25), made=D("1.31"), held_made=D("-0.53"), brought=D("1.84"), fees=D("0.08"), trades=14, returned=D("0.006"), held_returned=D("-0.002"))))]),
    Shown("key-ending", "The key ends soon", [alert_view(KeyEnding(dry_run=False, key_tail="BWC5", days_left=7, expires_at=NOON + timedelta(days=7)))]),
    Shown("trade-story", "A trade's story", [story_view(account=ACCOUNT, order=TRADE, asked_by=None, back=HistoryPage(0, 5))]),
    Shown("members", "The people of a chat", asked("/members", members_view(people=[Member(user_id=1, role=Role.OWNER, name="Anna", since=NOON), Member(user_id=2, role=Role.VIEWER, name="Bert", since=NOON)], page=0, has_more=False, is_private=False, all_may_look=False, question_id="q"))),
    Shown("member-joined", "A code was used", [alert_view(MemberJoined(user_id=2, name="Bert", role=Role.VIEWER))]),
    Shown("share", "Let others see your account", [*asked("/share", ask_share_view()), *asked("/share viewer", link_view(code="h7kp-3mne-xa4r-wyct", link="https://t.me/your_bot?start=h7kp-3mne-xa4r-wyct", group_link="https://t.me/your_bot?startgroup=h7kp-3mne-xa4r-wyct", role=Role.VIEWER, expires_at=NOON + timedelta(days=1), question_id="q"))]),
    Shown("share-joined", "For whoever opened the link", [joined_share_view(account=ACCOUNT, role=Role.VIEWER, owner="Anna", user_id=1, paused_own=False)]),
    Shown("share-begun", "Somebody opened it", [alert_view(SharingBegun(chat_id=2, name="Bert", role=Role.VIEWER))]),
    Shown("share-list", "Who sees your account", asked("/share list", shares_view(shared=[Share(chat_id=2, account_id=AccountId(1), role=Role.VIEWER, user_id=2, name="Bert", shared_by=1, created_at=NOON)], question_id="q"))),
    Shown("share-refused", "What a shared person may not", asked("/dryrun on", not_allowed_view(role=Role.TRADER, needed=Role.OWNER, is_shared=True))),
    Shown("share-ended", "The end of it", [alert_view(SharingEnded(owner="Anna", disconnected=False))]),
    Shown("group-asks", "A group wants to see the account", [alert_view(GroupAsks(title="The Club", user_id=2, name="Bert", role=Role.TRADER, until=NOON + timedelta(hours=24), question_id="q"))]),
    Shown("group-admitted", "A group sees an account", [alert_view(GroupAnswered(is_admitted=True, role=Role.TRADER, name="Bert"))]),
    Shown("account-changed", "Changed in another chat", [alert_view(AccountChanged(dry_run=False, user_id=2, name="Bert", trading=False, paused=True))]),
    Shown("shared-plan", "Where the owner is asked", [shared_alert_view(PlanOffered(confirmation_id="q", drift=DRIFT), role=Role.TRADER)]),
    Shown("shared-alerts", "Alerts of a shared account", asked("/alerts", shared_alerts_view(share=SHARE, now=LATER, is_theirs=True))),
    Shown("connect-in-group", "A key in a group", asked("/connect", group_refused_view(deleted=None, link="https://t.me/your_bot"))),
    Shown("halt", "The owner halts everything", asked("/halt", halted_view(halt=Halt(at=NOON, user_id=1), already=False, now=NOON))),
    Shown("halted", "What the chats hear of a halt", [halt_alert_view(Halted(dry_run=False))]),
)
# fmt: on
