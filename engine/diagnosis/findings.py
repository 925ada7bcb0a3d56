"""The verdicts of `/doctor`: fine, doubtful or broken.

Pure. What could not be asked is doubtful, never fine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum, auto
from typing import Self

from engine.diagnosis.stream_health import StreamHealth
from engine.diagnosis.workload import MessageBacklog, Workload
from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import Incident
from engine.domain.execution.bound import ExecutionMode
from engine.domain.execution.capability import UNKNOWN, Capability, is_market_only
from engine.domain.market.liquidity import depth, spread
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import OrderType, PairRules, Side
from engine.domain.rebalancing.check_result import BalanceSnapshot
from engine.domain.rebalancing.planner import smallest_order
from engine.domain.streams.trust import StreamsOff
from engine.errors import (
    AddressRefused,
    DecryptionFailed,
    EngineError,
    HostRefused,
    MissingPermission,
    PairUnavailable,
    Rejected,
    TooPowerful,
)
from engine.exchanges.interface import KeyPermissions

# Further than MEXC lets a market order go from the last price there is nothing to trade with.
WITHIN = Decimal("0.05")
_WIDE_SPREAD = Decimal("0.01")
# Signatures follow MEXC's clock, so ours may be off a little; times in messages are ours.
_CLOCK_OFF, _CLOCK_FAR_OFF = timedelta(seconds=2), timedelta(minutes=1)
_KEY_ENDS_SOON = 14
_SLOW = timedelta(seconds=1)
_POLL_OLD = timedelta(seconds=90)
_MANY_WAITING = 20
_LATE = timedelta(seconds=15)


class Grade(Enum):
    OK = auto()
    LOOK = auto()
    BROKEN = auto()


class HealthFinding(Enum):
    """Each thing there is to say, and its grade; `bot/views/doctor.py` has the words."""

    grade: Grade

    def __new__(cls, grade: Grade) -> Self:
        member = object.__new__(cls)
        member._value_ = len(cls.__members__)  # a number of its own: many have the same grade
        member.grade = grade
        return member

    TRADING_STOPPED = Grade.BROKEN
    TRADING_TROUBLED = Grade.LOOK
    ORDER_UNCLEAR = Grade.BROKEN
    CLOCK_FINE = Grade.OK
    CLOCK_OFF = Grade.LOOK
    CLOCK_FAR_OFF = Grade.BROKEN
    CLOCK_UNKNOWN = Grade.LOOK
    NO_KEY = Grade.BROKEN
    KEY_FINE = Grade.OK
    KEY_ENDING = Grade.LOOK
    KEY_EXPIRED = Grade.BROKEN
    KEY_END_UNKNOWN = Grade.LOOK
    KEY_REFUSED = Grade.BROKEN
    KEY_LACKING = Grade.BROKEN
    KEY_TOO_POWERFUL = Grade.BROKEN
    KEY_UNREADABLE = Grade.BROKEN
    KEY_UNKNOWN = Grade.LOOK
    ADDRESS_BOUND = Grade.OK
    ADDRESS_ANY = Grade.OK
    ADDRESS_REFUSED = Grade.BROKEN
    ADDRESS_UNKNOWN = Grade.LOOK
    PAIR_FINE = Grade.OK
    PAIR_CLOSED = Grade.BROKEN
    PAIR_ONE_SIDED = Grade.BROKEN
    PAIR_HIDDEN = Grade.BROKEN
    PAIR_UNKNOWN = Grade.LOOK
    MARKET_FINE = Grade.OK
    MARKET_WIDE = Grade.LOOK
    MARKET_THIN = Grade.LOOK
    MARKET_EMPTY = Grade.BROKEN
    MARKET_UNKNOWN = Grade.LOOK
    SETTINGS_FINE = Grade.OK
    SETTINGS_CANNOT_TRADE = Grade.LOOK
    SETTINGS_UNKNOWN = Grade.LOOK
    ORDERS_BOUND = Grade.OK
    ORDERS_MAKER = Grade.OK
    ORDERS_MARKET = Grade.OK
    ORDERS_MARKET_ONLY = Grade.OK
    DATABASE_FINE = Grade.OK
    DATABASE_SLOW = Grade.LOOK
    DATABASE_BROKEN = Grade.BROKEN
    MESSAGES_FINE = Grade.OK
    MESSAGES_WAITING = Grade.LOOK
    MESSAGES_GIVEN_UP = Grade.LOOK
    MESSAGES_REFUSED = Grade.BROKEN
    OTHERS_REFUSED = Grade.LOOK
    MESSAGES_UNKNOWN = Grade.LOOK
    CHECKS_FINE = Grade.OK
    CHECKS_LATE = Grade.LOOK
    CHECKS_RATIONED = Grade.LOOK
    CHECKS_SILENCED = Grade.LOOK
    CHECKS_STOPPED = Grade.BROKEN
    HOST_REFUSED = Grade.BROKEN
    STREAM_LIVE = Grade.OK
    STREAM_NOT_YET = Grade.OK
    STREAM_DOUBTED = Grade.LOOK
    STREAM_OFF = Grade.OK
    STREAM_OTHER_EXCHANGE = Grade.OK
    STREAM_REFUSED = Grade.LOOK
    STREAM_NONE_LEFT = Grade.LOOK
    STREAM_NOT_WELCOME = Grade.LOOK
    POLLS_FINE = Grade.OK
    POLLS_OLD = Grade.LOOK
    POLLS_UNKNOWN = Grade.LOOK


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptoms:
    """Results of the checks; an error where one failed, None where nothing is known.
    *stream* is known where this process checks the account. *ioc* is what is known of orders with a bound; *trouble* is the open incident, *unclear*: an order needs the user's answer, *seen* is the last
    known balance.
    """

    account: Account
    clock_ahead: timedelta | EngineError
    key: KeyPermissions | EngineError | None
    rules: PairRules | EngineError
    book: OrderBook | EngineError
    stored_in: timedelta | None
    backlog: MessageBacklog | None
    polled: timedelta | None
    workload: Workload
    ioc: Capability | None = UNKNOWN
    trouble: Incident | None = None
    unclear: bool = False
    seen: BalanceSnapshot | None = None
    stream: StreamHealth | None = None

    @property
    def host_refused(self) -> str | None:
        """The HTTP status with which something in front of MEXC refuses this server."""
        if self.workload.usage is not None and self.workload.usage.host_refused is not None:
            return self.workload.usage.host_refused
        asked = (self.clock_ahead, self.key, self.rules, self.book)
        return next((str(answer) for answer in asked if isinstance(answer, HostRefused)), None)


def diagnose(found: Symptoms) -> Sequence[HealthFinding]:
    """One finding a question. A dry run without a key needs neither a key nor MEXC's clock."""
    of_key = [_clock(found), _key(found), *_address(found)]
    if found.account.sealed_key is None:
        of_key = [] if found.account.settings.dry_run else [HealthFinding.NO_KEY]
    return [
        *_trading(found),
        *of_key,
        _pair(found),
        _market(found),
        _settings(found),
        *_orders(found),
        _database(found.stored_in),
        _checks(found),
        *_stream(found),
        *_messages(found.backlog),
        _polls(found.polled),
    ]


def _trading(found: Symptoms) -> list[HealthFinding]:
    """Returns the findings about checks and orders, if any."""
    stop = (
        HealthFinding.TRADING_STOPPED
        if found.account.settings.paused
        else HealthFinding.TRADING_TROUBLED
    )
    told = {HealthFinding.ORDER_UNCLEAR: found.unclear, stop: found.trouble is not None}
    return [finding for finding, is_so in told.items() if is_so]


def _clock(found: Symptoms) -> HealthFinding:
    if isinstance(found.clock_ahead, EngineError):
        return HealthFinding.CLOCK_UNKNOWN
    return clock_finding(found.clock_ahead)


def clock_finding(ahead: timedelta) -> HealthFinding:
    """Judge how far an exchange's clock is *ahead* of ours."""
    off = abs(ahead)
    if off > _CLOCK_FAR_OFF:
        return HealthFinding.CLOCK_FAR_OFF
    return HealthFinding.CLOCK_OFF if off > _CLOCK_OFF else HealthFinding.CLOCK_FINE


def _key(found: Symptoms) -> HealthFinding:  # noqa: PLR0911 - one return a finding
    match found.key:
        case KeyPermissions(days_left=None, addresses=()):
            return HealthFinding.KEY_END_UNKNOWN
        case KeyPermissions(days_left=days):
            if days is not None and days <= 0:
                return HealthFinding.KEY_EXPIRED
            ends_soon = days is not None and days <= _KEY_ENDS_SOON
            return HealthFinding.KEY_ENDING if ends_soon else HealthFinding.KEY_FINE
        case DecryptionFailed():
            return HealthFinding.KEY_UNREADABLE
        case TooPowerful():
            return HealthFinding.KEY_TOO_POWERFUL
        case MissingPermission():
            return HealthFinding.KEY_LACKING
        case AddressRefused():
            return HealthFinding.KEY_UNKNOWN
        case Rejected():
            return HealthFinding.KEY_REFUSED
        case _:
            return HealthFinding.KEY_UNKNOWN


def _address(found: Symptoms) -> list[HealthFinding]:
    """Nothing to say of a key that is refused anyway."""
    match found.key:
        case KeyPermissions(addresses=addresses):
            return [HealthFinding.ADDRESS_BOUND if addresses else HealthFinding.ADDRESS_ANY]
        case AddressRefused():
            return [HealthFinding.ADDRESS_REFUSED]
        case Rejected() | DecryptionFailed():
            return []
        case _:
            return [HealthFinding.ADDRESS_UNKNOWN]


def _pair(found: Symptoms) -> HealthFinding:
    rules, mode = found.rules, found.account.settings.execution
    if isinstance(rules, PairUnavailable):
        return HealthFinding.PAIR_HIDDEN
    if isinstance(rules, EngineError):
        return HealthFinding.PAIR_UNKNOWN
    if not rules.takes(OrderType.MARKET if mode is ExecutionMode.MARKET else OrderType.IOC):
        return HealthFinding.PAIR_CLOSED
    both = rules.allows(Side.BUY) and rules.allows(Side.SELL)
    return HealthFinding.PAIR_FINE if both else HealthFinding.PAIR_ONE_SIDED


def _market(found: Symptoms) -> HealthFinding:
    if isinstance(found.book, EngineError):
        return HealthFinding.MARKET_UNKNOWN
    gap = spread(found.book)
    if gap is None:
        return HealthFinding.MARKET_EMPTY
    if gap > _WIDE_SPREAD:
        return HealthFinding.MARKET_WIDE
    thin = min(depth(found.book, within=WITHIN)) < found.account.limits_in_force.order
    return HealthFinding.MARKET_THIN if thin else HealthFinding.MARKET_FINE


def _settings(found: Symptoms) -> HealthFinding:
    """Whether a drift at the band's edge is large enough for an order, and there is an edge."""
    settings = found.account.settings
    if (fixed := settings.fixed) is None:
        return HealthFinding.SETTINGS_FINE
    reach = settings.threshold.in_quote(fixed.target)
    if reach >= fixed.target:
        return HealthFinding.SETTINGS_CANNOT_TRADE
    if isinstance(found.rules, EngineError):
        return HealthFinding.SETTINGS_UNKNOWN
    too_small = reach < smallest_order(found.rules)
    return HealthFinding.SETTINGS_CANNOT_TRADE if too_small else HealthFinding.SETTINGS_FINE


def _orders(found: Symptoms) -> list[HealthFinding]:
    """Which orders are sent; nothing to say where the database did not."""
    mode = found.account.settings.execution
    if found.ioc is None:
        return []
    if mode is ExecutionMode.MARKET:
        return [HealthFinding.ORDERS_MARKET]
    if is_market_only(mode, ioc=found.ioc, now=found.workload.now):
        return [HealthFinding.ORDERS_MARKET_ONLY]
    is_maker = mode is ExecutionMode.MAKER
    return [HealthFinding.ORDERS_MAKER if is_maker else HealthFinding.ORDERS_BOUND]


def _database(stored_in: timedelta | None) -> HealthFinding:
    if stored_in is None:
        return HealthFinding.DATABASE_BROKEN
    return HealthFinding.DATABASE_SLOW if stored_in > _SLOW else HealthFinding.DATABASE_FINE


def _checks(found: Symptoms) -> HealthFinding:
    load = found.workload
    if found.host_refused is not None:
        return HealthFinding.HOST_REFUSED
    if load.is_stopped or load.silent_for > timedelta():
        return HealthFinding.CHECKS_STOPPED if load.is_stopped else HealthFinding.CHECKS_SILENCED
    late = HealthFinding.CHECKS_RATIONED if load.is_rationed else HealthFinding.CHECKS_LATE
    return HealthFinding.CHECKS_FINE if load.by <= _LATE else late


def _stream(found: Symptoms) -> list[HealthFinding]:
    """Nothing to say where there is nothing to check, or where another process checks it."""
    stream, account = found.stream, found.account
    if stream is None or account.stopped or not account.can_trade:
        return []
    told = {
        HealthFinding.STREAM_OTHER_EXCHANGE: stream.off is StreamsOff.BY_ADDRESS,
        HealthFinding.STREAM_OFF: stream.off is StreamsOff.BY_SETTING,
        HealthFinding.STREAM_LIVE: stream.is_live,
        HealthFinding.STREAM_REFUSED: stream.refused is not None,
        HealthFinding.STREAM_DOUBTED: stream.is_doubted,
        HealthFinding.STREAM_NOT_YET: stream.standing is not None,
        HealthFinding.STREAM_NOT_WELCOME: not stream.is_welcome,
        HealthFinding.STREAM_NONE_LEFT: stream.is_full,
    }
    found_first = (finding for finding, is_so in told.items() if is_so)
    return [next(found_first, HealthFinding.STREAM_NOT_YET)]


def _messages(backlog: MessageBacklog | None) -> list[HealthFinding]:
    if backlog is None:
        return [HealthFinding.MESSAGES_UNKNOWN]
    elsewhere = [HealthFinding.OTHERS_REFUSED] if backlog.refused.others else []
    if backlog.refused.here is not None:
        return [HealthFinding.MESSAGES_REFUSED, *elsewhere]
    if backlog.given_up:
        return [HealthFinding.MESSAGES_GIVEN_UP, *elsewhere]
    waiting = backlog.mine or backlog.all > _MANY_WAITING
    return [HealthFinding.MESSAGES_WAITING if waiting else HealthFinding.MESSAGES_FINE, *elsewhere]


def _polls(polled: timedelta | None) -> HealthFinding:
    if polled is None:
        return HealthFinding.POLLS_UNKNOWN
    return HealthFinding.POLLS_OLD if polled > _POLL_OLD else HealthFinding.POLLS_FINE
