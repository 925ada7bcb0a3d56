"""What the stored databases hold: a value of every kind that is kept, each with its own amounts.

`make.py` writes them, `test_stored_databases.py` expects them back from a database that an older
version wrote. So a value of a kind that is new here goes into the databases of later versions only.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bot.handlers.members import Chosen, MemberRequest, Shown
from engine.domain.accounts import settings_change
from engine.domain.accounts.account import Halt
from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.accounts.incidents import Incident, IncidentKind, IncidentTimes
from engine.domain.accounts.low_balance import LowBalanceThreshold
from engine.domain.accounts.members import Invitation, Role
from engine.domain.accounts.risk_limits import Jump, Limits
from engine.domain.accounts.settings import Band, Settings, TradingMode
from engine.domain.accounts.undeliverable import Undeliverable
from engine.domain.alerts.alerts import (
    Alert,
    ChatDeliverable,
    ChatUndeliverable,
    Digest,
    DriftNoticed,
    Halted,
    HaltLifted,
    IncidentAlert,
    IncidentResolved,
    LowBalanceOver,
    LowBalanceReached,
    MemberJoined,
    OrderNeedsPerson,
    OrderNeverArrived,
    OrderUnclear,
    PlanOffered,
    RunDeclined,
    TradeSettled,
)
from engine.domain.alerts.deposit_alerts import BalanceChanged
from engine.domain.alerts.key_alerts import KeyEnding, KeyTooPowerful, MoneyShared
from engine.domain.alerts.preferences import AlertLevel, AlertPreferences, QuietHours
from engine.domain.alerts.traits import AlertKind
from engine.domain.market.balances import Balance, Counting, LastSeen
from engine.domain.market.pairs import USDT, Asset, Side, Symbol
from engine.domain.orders.order import (
    AccountId,
    ClientOrderId,
    Execution,
    Fees,
    Order,
    OrderState,
    Trigger,
)
from engine.domain.rebalancing import pending_change
from engine.domain.rebalancing.approval import ApprovalRequest, ApprovalState
from engine.domain.rebalancing.check_result import (
    AwaitingApproval,
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
from engine.domain.rebalancing.planner import (
    EmptyBook,
    InsideBand,
    LimitKind,
    NothingFree,
    OverLimit,
    PairClosed,
    Reason,
    SideClosed,
    StepTooCoarse,
    UnderMinimum,
)
from engine.domain.rebalancing.run_request import RunOffer, RunRequest
from engine.domain.targets.bands import Threshold
from engine.domain.targets.target import FixedUsdt
from engine.storage.trading.paper_ledger import PaperOrder

# A key for tests: whoever has it opens nothing but these files.
VAULT_KEY = "dGhpcy1rZXktb3BlbnMtbm90aGluZy1idXQtdGVzdHM="
API_KEY, API_SECRET = "mx0vglTestsOnlyBWC5", "a-secret-that-only-tests-know"

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LATER, EARLIER = AT + timedelta(hours=1), AT - timedelta(days=2)
OWNER, TRADER, STRANGER = 1001, 2002, 3003
CHAT, GROUP, FORMER_GROUP = OWNER, -1001234567890, -55
# By chat; the first one is the owner's, each later one has an order that is not resolved.
CHATS = (CHAT, GROUP, 1003, 1004, 1005)
FIRST, SECOND = AccountId(1), AccountId(2)
PROCESS, DEAD_PROCESS = "worker-1", "worker-0"
BOT_ID = 123456789
MNTL, MX = Asset("MNTL"), Asset("MX")
PAIR = Symbol("MNTLUSDT")
UPDATE = {"update_id": 501, "message": {"text": "/status", "chat": {"id": CHAT}}}

NEW = Settings(
    target=FixedUsdt(Decimal(40)),
    threshold=Threshold(relative=Decimal("0.05")),
    interval=timedelta(seconds=120),
    symbol=PAIR,
    paused=False,
)
IN_GROUP = Settings(
    target=FixedUsdt(Decimal("1234.56")),
    threshold=Threshold(quote_amount=Decimal("7.50")),
    interval=timedelta(hours=2),
    symbol=Symbol("MXUSDT"),
    counting=Counting.FREE,
    dry_run=True,
    paused=True,
    autonomy=TradingMode.ASK,
)
LIMITS = Limits(order=Decimal("90.50"), day=Decimal(300), orders_per_hour=7, move=Decimal("0.15"))
HALT = Halt(at=AT, user_id=OWNER)


def an_order(number: int, state: OrderState, account_id: int) -> Order:
    """Every order has an amount of its own."""
    is_buy = number % 2 == 0
    traded = state in {OrderState.FILLED, OrderState.PARTIAL}
    return Order(
        client_order_id=ClientOrderId(f"bl{state.value}"),
        account_id=AccountId(account_id),
        run_id=f"run-{number}",
        attempt=1 + number % 3,
        symbol=PAIR,
        side=Side.BUY if is_buy else Side.SELL,
        quote_amount=Decimal(f"17.1{number}") if is_buy else None,
        base_quantity=None if is_buy else Decimal(8000 + number),
        expected_quote=Decimal(f"17.1{number}"),
        dry_run=number == 5,
        trigger=Trigger.PERSON if number % 3 == 0 else Trigger.INTERVAL,
        fence=number,
        target=Decimal(40),
        quote_before=Decimal("57.1"),
        base_before=Decimal(100_000),
        created_at=AT + timedelta(seconds=number),
        price=Decimal("0.002"),
        move_bp=number,
        state=state,
        sent_at=None if state is OrderState.PLANNED else AT + timedelta(seconds=number),
        exchange_order_id=f"C02__{number}" if traded else None,
        execution=Execution(Decimal(8100 + number), Decimal(f"16.3{number}"))
        if traded
        else Execution(Decimal(0), Decimal(0)),
        fees=Fees(
            {USDT: Decimal("0.008150142"), MX: Decimal("0.0001")},
            complete=state is OrderState.FILLED,
        )
        if traded
        else None,
        quote_after=Decimal("40.79") if traded else None,
        base_after=Decimal(108_142) if traded else None,
        resolved_at=AT + timedelta(seconds=number + 1) if traded else None,
        misses=2 if state is OrderState.UNKNOWN else 0,
        missed_at=AT if state is OrderState.UNKNOWN else None,
        error="30004: no" if state is OrderState.REJECTED else None,
    )


ORDERS = [
    an_order(number, OrderState(state), account_id)
    for number, (state, account_id) in enumerate(
        {
            "planned": 1,
            "filled": 1,
            "partial": 1,
            "unfilled": 1,
            "rejected": 1,
            "not_executed": 1,
            "set_aside": 1,
            "dropped": 1,
            "sending": 2,
            "acked": 3,
            "unknown": 4,
            "needs_human": 5,
        }.items()
    )
]

BAND = Band(low=Decimal(38), high=Decimal(42))
SEEN = BalanceSnapshot(
    symbol=PAIR,
    quote=Balance(Decimal("57.1"), Decimal("0.00000001")),
    base=Balance(Decimal(91_858)),
    held=Decimal("57.10000001"),
    price=Decimal("0.0021"),
    jump=Jump(at=EARLIER, before=Decimal("0.0010")),
)
REASONS: tuple[Reason, ...] = (
    InsideBand(),
    PairClosed(),
    SideClosed(Side.SELL),
    EmptyBook(Side.BUY),
    NothingFree(Side.SELL, free=Decimal("0.5"), locked=Decimal(9)),
    UnderMinimum(Side.BUY, quote_amount=Decimal("0.4"), minimum=Decimal("1.1")),
    StepTooCoarse(step_value=Decimal("5.2"), shortfall=Decimal("3.1")),
    *(
        OverLimit(kind, asked=Decimal(95), allowed=Decimal("90.50"), used=Decimal(4))
        for kind in (
            LimitKind.ORDER,
            LimitKind.DAY,
            LimitKind.HOUR,
            LimitKind.JUMP,
            LimitKind.SLIP,
        )
    ),
)
VERDICTS: tuple[Decision, ...] = (
    *(NoTrade(reason) for reason in REASONS),
    AwaitingApproval(Side.BUY, Decimal("17.2"), TradingMode.NOTIFY),
    PlanChanged(Side.SELL, Decimal("17.3")),
    OrderPending(ClientOrderId("blunknown")),
    AwaitingSettlement(),
    CheckFailed(IncidentKind.CLOCK, "700003: outside the window"),
    OrderPlaced(ClientOrderId("blfilled"), Side.SELL, Decimal("17.11")),
)


def a_look(number: int, verdict: Decision) -> CheckResult:
    """A person asked for each, so each is worth remembering."""
    return CheckResult(
        at=AT + timedelta(seconds=number),
        trigger=Trigger.PERSON,
        target=Decimal("40.00"),
        band=BAND,
        verdict=verdict,
        seen=SEEN,
        funds="BWC5",
        first=BalanceSnapshot(
            symbol=PAIR, quote=Balance(Decimal(1)), base=Balance(), held=Decimal(1)
        ),
    )


# The last one is what `/why` tells first.
LOOKS = [a_look(number, verdict) for number, verdict in enumerate(VERDICTS)]

TROUBLE = Incident(
    kind=IncidentKind.BLOCKED,
    detail="NothingFree",
    since=EARLIER,
    last_at=AT,
    count=9,
    told=2,
    told_kinds=frozenset({IncidentKind.BLOCKED, IncidentKind.CLOCK}),
    kinds={
        IncidentKind(kind): IncidentTimes(number, EARLIER)
        for number, kind in enumerate(
            (
                "unreachable",
                "rate_limited",
                "host_refused",
                "bad_data",
                "stale_balance",
                "clock",
                "key_refused",
                "address_refused",
                "missing_permission",
                "account_restricted",
                "key_unreadable",
                "pair_unavailable",
                "order_refused",
                "not_filled",
                "blocked",
                "bad_fill",
                "internal",
            ),
            start=1,
        )
    },
)
OFFER = ApprovalRequest(
    id="offer-1",
    autonomy=TradingMode.ASK,
    symbol=PAIR,
    dry_run=True,
    side=Side.BUY,
    expected_quote=Decimal("17.4"),
    version=3,
    at=AT,
    expires_at=LATER,
    since=AT,
    standing=ApprovalState.SKIPPED,
)
REQUEST = RunRequest("rebalance-1", Side.SELL, Decimal("17.5"), LATER)
MOVEMENTS = (
    BalanceChange(at=AT, dry_run=False, asset=USDT, before=Decimal(40), after=Decimal("140.25")),
    BalanceChange(at=LATER, dry_run=True, asset=MNTL, before=Decimal(9), after=Decimal(0)),
)
LAST_SEEN = LastSeen({USDT: Decimal("57.1"), MNTL: Decimal(91_858)}, AT)
MARKS = (
    LowBalanceThreshold(MX, Decimal("0.5"), told=True),
    LowBalanceThreshold(USDT, Decimal(20)),
)
UNDELIVERABLE = Undeliverable(
    chat_id=GROUP, since=EARLIER, last_at=AT, problem="chat not found", gone=True, told=(CHAT,)
)
INVITATION = Invitation(chat_id=GROUP, role=Role.VIEWER, invited_by=OWNER, expires_at=LATER)
ALERT_SETTINGS = AlertPreferences(
    levels={
        AlertKind.TRADE: AlertLevel.SILENT,
        AlertKind.DIGEST: AlertLevel.ON,
        AlertKind.KEY: AlertLevel.OFF,
    },
    smallest=Decimal("2.5"),
    time_zone="Europe/Berlin",
    quiet=QuietHours(1320, 420),
    errors_break_through=False,
    ask_deposits=False,
    digest_minute=480,
)
# Action, subject and detail of lines of the trail; those of changes come of the accounts.
AUDIT = (
    ("halt", "all accounts", "1 account"),
    ("lift the halt", "all accounts", "1 account"),
    ("pair", "the bot", "by the code"),
    ("invite", "viewer", "until 12:00"),
    ("join", "this chat", "none -> viewer"),
    ("role", f"{TRADER} Ann", "viewer -> trader"),
    ("look", "looking", "members -> everybody"),
    ("topic", "alerts", "general -> 77"),
    ("order_claimed", "blunknown", "it was filled; left to it"),
    ("order_set_aside", "blset_aside", "nothing"),
    ("trade", "uuid", "SELL 17.5"),
    ("mode", "uuid", "auto -> ask"),
    ("offer", "uuid", "skipped"),
    ("alerts", "uuid", "trade: on -> silent"),
    ("warn", "MX", "none -> 0.5"),
    ("real money", "uuid", "by a tap"),
    ("undo", "uuid", "target 60 -> 40"),
)
PAPER = {USDT: Balance(Decimal("39.5"), Decimal("0.5")), MX: Balance(Decimal(12))}
PAPER_ORDER = PaperOrder(
    account_id=SECOND,
    client_order_id=ClientOrderId("blpaper"),
    symbol=Symbol("MXUSDT"),
    side=Side.BUY,
    execution=Execution(Decimal(6), Decimal("15.75")),
    fee=Decimal("0.007875"),
    complete=False,
    created_at=AT,
)

_DRIFT = DriftNoticed(
    dry_run=False,
    symbol=PAIR,
    side=Side.BUY,
    expected_quote=Decimal("17.01"),
    expected_base=Decimal(8101),
    held=Decimal("57.01"),
    target=Decimal(40),
    band=BAND,
    asked_quote=Decimal("17.02"),
    held_after=Decimal("40.02"),
    complete=False,
)
_ORDER = {"symbol": PAIR, "side": Side.SELL, "expected_quote": Decimal("17.03")}
ALERTS: Mapping[str, Alert] = {
    "trade_settled": TradeSettled(
        dry_run=False,
        symbol=PAIR,
        side=Side.BUY,
        trigger=Trigger.PERSON,
        base_quantity=Decimal(8142),
        quote_amount=Decimal("16.31"),
        asked_quote=Decimal("17.1"),
        fees={USDT: Decimal("0.0081")},
        quote_before=Decimal("57.1"),
        quote_after=Decimal("40.79"),
        target=Decimal(40),
        late=True,
        fees_complete=False,
    ),
    "order_unclear": OrderUnclear(dry_run=False, **_ORDER),  # type: ignore[arg-type]
    "order_never_arrived": OrderNeverArrived(dry_run=False, **_ORDER),  # type: ignore[arg-type]
    "order_needs_person": OrderNeedsPerson(
        dry_run=False,
        **_ORDER,  # type: ignore[arg-type]
        client_order_id="blneeds_human",
        status="PENDING_REVIEW",
        base_quantity=Decimal(11),
        quote_amount=Decimal("0.022"),
    ),
    "trouble_told": IncidentAlert(
        dry_run=False,
        kind=IncidentKind.BLOCKED,
        detail="NothingFree",
        count=4,
        since=EARLIER,
        at=AT,
        symbol=PAIR,
        reason=NothingFree(Side.SELL, free=Decimal("0.5"), locked=Decimal(9)),
    ),
    "trouble_over": IncidentResolved(
        dry_run=True, kind=IncidentKind.CLOCK, count=6, since=EARLIER, at=AT
    ),
    "run_declined": RunDeclined(
        dry_run=False,
        symbol=PAIR,
        held=Decimal("40.4"),
        target=Decimal(40),
        reason=None,
        new_side=Side.SELL,
        new_quote=Decimal("17.04"),
    ),
    "drift_noticed": _DRIFT,
    "plan_offered": PlanOffered(confirmation_id="offer-1", drift=_DRIFT),
    "moved": BalanceChanged(
        dry_run=False,
        symbol=PAIR,
        moved=MOVEMENTS,
        by_hand=False,
        held=Decimal("140.25"),
        target=Decimal(40),
        band=BAND,
        autonomy=TradingMode.NOTIFY,
        last_for_now=True,
        quantity_step=Decimal("0.01"),
        question_id="keep_deposit-1",
        new_target=Decimal("140.20"),
    ),
    "halted": Halted(dry_run=False, expected_quote=Decimal("17.05")),
    "halt_lifted": HaltLifted(dry_run=False, paused=True),
    "low_mark_reached": LowBalanceReached(
        dry_run=False, symbol=PAIR, asset=MX, below=Decimal("0.5"), left=Decimal("0.25")
    ),
    "low_mark_over": LowBalanceOver(
        dry_run=False, asset=MX, below=Decimal("0.5"), left=Decimal("0.75")
    ),
    "digest": Digest(
        dry_run=False,
        since=EARLIER,
        at=AT,
        target=Decimal(40),
        trades=3,
        bought=Decimal("17.06"),
        sold=Decimal("4.44"),
        fees={MX: Decimal("0.001")},
        small=1,
        smallest=Decimal("2.5"),
        held_before=Decimal("57.1"),
        held=Decimal("40.79"),
        troubles=2,
        trouble=IncidentKind.RATE_LIMITED,
        key_expires_at=LATER,
        fees_complete=False,
    ),
    "key_ending": KeyEnding(dry_run=False, key_tail="BWC5", days_left=3, expires_at=LATER),
    "key_too_powerful": KeyTooPowerful(
        dry_run=False, key_tail="BWC5", powers="SPOT_WITHDRAW_WRITE"
    ),
    "money_shared": MoneyShared(dry_run=False, key_tail="BWC5"),
    "member_joined": MemberJoined(user_id=TRADER, name="Ann <b>", role=Role.TRADER),
    "chat_undeliverable": ChatUndeliverable(
        dry_run=False,
        chat_id=GROUP,
        name="Ann",
        since=EARLIER,
        problem="chat not found",
        gone=True,
        paused=True,
        pauses_at=LATER,
    ),
    "chat_deliverable": ChatDeliverable(
        dry_run=False,
        chat_id=GROUP,
        name="Ann",
        since=EARLIER,
        at=AT,
        problem="chat not found",
        resumed=True,
        paused=False,
        here=True,
    ),
}

DEDUPE_KEYS: Mapping[str, str] = {
    "trade_settled": "order:blfilled:filled",
    "order_unclear": "order:blunknown:unclear",
    "order_never_arrived": "order:blnot_executed:never",
    "order_needs_person": "order:blneeds_human:person",
    "trouble_told": "trouble:1:2026-11-20T12:00:00+00:00:blocked:4",
    "trouble_over": "over:1:2026-11-20T12:00:00+00:00",
    "run_declined": "run:lift_halt-1:declined",
    "drift_noticed": "offer:offer-0",
    "plan_offered": "offer:offer-1",
    "moved": "moved:1:1",
    "halted": "halt:1:4",
    "halt_lifted": "halt:1:5",
    "low_mark_reached": "low:1:MX:1795348800000",
    "low_mark_over": "low:1:MX:1795348900000",
    "digest": "digest:1:2026-11-22T07:00:00+00:00",
    "key_ending": "key:1:2026-11-22:3",
    "key_too_powerful": "powers:1:4:2026-11-22T12",
    "money_shared": "shared:1:4",
    "member_joined": "join:hash-2",
    "chat_undeliverable": "undeliverable:-1001234567890:2026-11-20T12:00:00+00:00:1001",
    "chat_deliverable": "undeliverable:-1001234567890:2026-11-20T12:00:00+00:00:1001:over",
}
# To a chat that is paused, which the alert says as it is stored.
IN_PAUSE = IncidentResolved(
    dry_run=True, kind=IncidentKind.BAD_DATA, count=5, since=EARLIER, at=AT
)

_OFFERED = RunOffer(Side.SELL, Decimal("17.5"), 3)
_PROPOSAL = pending_change.PendingChange(
    wanted=settings_change.SettingsPatch(
        target=FixedUsdt(Decimal("60.01")),
        threshold=Threshold(relative=Decimal("0.07")),
        interval_s=300,
        symbol=Symbol("MXUSDT"),
        counting=Counting.FREE,
        autonomy=TradingMode.NOTIFY,
        dry_run=False,
        limits=LIMITS,
    ),
    found=settings_change.SettingsPatch(target=FixedUsdt(Decimal(40))),
    version=3,
    side=Side.BUY,
    expected_quote=Decimal("20.01"),
    in_panel=True,
)
# What a question of each kind is about; of the last two it is text as it stands.
QUESTIONS: Mapping[str, object] = {
    "rebalance": _OFFERED,
    "offer": _OFFERED,
    "go_live": _PROPOSAL,
    "undo": _PROPOSAL,
    "big_target": _PROPOSAL,
    "keep_deposit": _PROPOSAL,
    "lift_halt": HALT,
    "choice": ["settarget", "40", "400"],
    "members": Shown(
        page=1,
        user_ids=[OWNER, TRADER],
        has_pages=True,
        has_more=False,
        all_may_look=True,
        is_private=False,
    ),
    "member": Chosen(TRADER, "Ann", Role.TRADER, ["viewer", "owner", "remove", "back"]),
    "member_role": MemberRequest(TRADER, "Ann", Role.TRADER, Role.OWNER),
    "all_may_look": True,
    "set_aside": "blneeds_human",
    "disconnect": "BWC5",
}
AS_TEXT = frozenset({"set_aside", "disconnect"})
