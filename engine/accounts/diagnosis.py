"""The verdicts of `/doctor`: from what could be asked to what is fine, worth a look, or broken.

Pure. What could not be asked is worth a look; it is never called fine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum, auto

from engine.accounts.workload import Backlog, Workload
from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import Trouble
from engine.domain.market.liquidity import depth, spread
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import PairRules, Side
from engine.domain.rebalancing.check_result import Seen
from engine.domain.rebalancing.planner import smallest_order
from engine.errors import (
    AddressRefused,
    EngineError,
    HostRefused,
    MissingPermission,
    PairUnavailable,
    Rejected,
    SealBroken,
    TooPowerful,
)
from engine.exchanges.interface import KeyPowers

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


class Finding(Enum):
    """Each thing there is to say; `bot/views/doctor.py` has the words."""

    TRADING_STOPPED = auto()
    TRADING_TROUBLED = auto()
    ORDER_UNCLEAR = auto()
    CLOCK_FINE = auto()
    CLOCK_OFF = auto()
    CLOCK_FAR_OFF = auto()
    CLOCK_UNKNOWN = auto()
    NO_KEY = auto()
    KEY_FINE = auto()
    KEY_ENDING = auto()
    KEY_EXPIRED = auto()
    KEY_END_UNKNOWN = auto()
    KEY_REFUSED = auto()
    KEY_LACKING = auto()
    KEY_TOO_POWERFUL = auto()
    KEY_UNREADABLE = auto()
    KEY_UNKNOWN = auto()
    ADDRESS_BOUND = auto()
    ADDRESS_ANY = auto()
    ADDRESS_REFUSED = auto()
    ADDRESS_UNKNOWN = auto()
    PAIR_FINE = auto()
    PAIR_CLOSED = auto()
    PAIR_ONE_SIDED = auto()
    PAIR_HIDDEN = auto()
    PAIR_UNKNOWN = auto()
    MARKET_FINE = auto()
    MARKET_WIDE = auto()
    MARKET_THIN = auto()
    MARKET_EMPTY = auto()
    MARKET_UNKNOWN = auto()
    SETTINGS_FINE = auto()
    SETTINGS_CANNOT_TRADE = auto()
    SETTINGS_UNKNOWN = auto()
    DATABASE_FINE = auto()
    DATABASE_SLOW = auto()
    DATABASE_BROKEN = auto()
    MESSAGES_FINE = auto()
    MESSAGES_WAITING = auto()
    MESSAGES_GIVEN_UP = auto()
    MESSAGES_REFUSED = auto()
    OTHERS_REFUSED = auto()
    MESSAGES_UNKNOWN = auto()
    CHECKS_FINE = auto()
    CHECKS_LATE = auto()
    CHECKS_RATIONED = auto()
    CHECKS_SILENCED = auto()
    CHECKS_STOPPED = auto()
    HOST_REFUSED = auto()
    POLLS_FINE = auto()
    POLLS_OLD = auto()
    POLLS_UNKNOWN = auto()


_BROKEN = {
    *(Finding.CLOCK_FAR_OFF, Finding.NO_KEY, Finding.KEY_EXPIRED, Finding.KEY_REFUSED),
    *(Finding.KEY_LACKING, Finding.KEY_TOO_POWERFUL, Finding.KEY_UNREADABLE),
    *(Finding.ADDRESS_REFUSED, Finding.PAIR_CLOSED, Finding.PAIR_ONE_SIDED, Finding.PAIR_HIDDEN),
    *(Finding.MARKET_EMPTY, Finding.CHECKS_STOPPED, Finding.DATABASE_BROKEN, Finding.HOST_REFUSED),
    *(Finding.TRADING_STOPPED, Finding.ORDER_UNCLEAR),
    Finding.MESSAGES_REFUSED,
}
_OK = {
    *(Finding.CLOCK_FINE, Finding.KEY_FINE, Finding.ADDRESS_BOUND, Finding.ADDRESS_ANY),
    *(Finding.PAIR_FINE, Finding.MARKET_FINE, Finding.SETTINGS_FINE, Finding.DATABASE_FINE),
    *(Finding.MESSAGES_FINE, Finding.CHECKS_FINE, Finding.POLLS_FINE),
}


def grade(finding: Finding) -> Grade:
    if finding in _BROKEN:
        return Grade.BROKEN
    return Grade.OK if finding in _OK else Grade.LOOK


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptoms:
    """What the questions brought; the error where one brought none, None where nothing is known.
    *trouble* lasts, *unclear*: an order needs the person's eyes, *seen* is what was owned last.
    """

    account: Account
    clock_ahead: timedelta | EngineError
    key: KeyPowers | EngineError | None
    rules: PairRules | EngineError
    book: OrderBook | EngineError
    stored_in: timedelta | None
    backlog: Backlog | None
    polled: timedelta | None
    workload: Workload
    trouble: Trouble | None = None
    unclear: bool = False
    seen: Seen | None = None

    @property
    def host_refused(self) -> str | None:
        """The HTTP status with which something in front of MEXC refuses this server."""
        if self.workload.usage is not None and self.workload.usage.host_refused is not None:
            return self.workload.usage.host_refused
        asked = (self.clock_ahead, self.key, self.rules, self.book)
        return next((str(answer) for answer in asked if isinstance(answer, HostRefused)), None)


def diagnose(found: Symptoms) -> Sequence[Finding]:
    """One finding a question. A dry run without a key needs neither a key nor MEXC's clock."""
    of_key = [_clock(found), _key(found), *_address(found)]
    if found.account.sealed_key is None:
        of_key = [] if found.account.settings.dry_run else [Finding.NO_KEY]
    return [
        *_trading(found),
        *of_key,
        _pair(found.rules),
        _market(found),
        _settings(found),
        _database(found.stored_in),
        _checks(found),
        *_messages(found.backlog),
        _polls(found.polled),
    ]


def _trading(found: Symptoms) -> list[Finding]:
    """What checks and orders ran into; nothing to say where they get on."""
    stop = Finding.TRADING_STOPPED if found.account.settings.paused else Finding.TRADING_TROUBLED
    told = {Finding.ORDER_UNCLEAR: found.unclear, stop: found.trouble is not None}
    return [finding for finding, is_so in told.items() if is_so]


def _clock(found: Symptoms) -> Finding:
    if isinstance(found.clock_ahead, EngineError):
        return Finding.CLOCK_UNKNOWN
    return clock_finding(found.clock_ahead)


def clock_finding(ahead: timedelta) -> Finding:
    """Of an exchange's clock that is so far *ahead* of ours."""
    off = abs(ahead)
    if off > _CLOCK_FAR_OFF:
        return Finding.CLOCK_FAR_OFF
    return Finding.CLOCK_OFF if off > _CLOCK_OFF else Finding.CLOCK_FINE


def _key(found: Symptoms) -> Finding:  # noqa: PLR0911 - one return a finding
    match found.key:
        case KeyPowers(days_left=None, addresses=()):
            return Finding.KEY_END_UNKNOWN
        case KeyPowers(days_left=days):
            if days is not None and days <= 0:
                return Finding.KEY_EXPIRED
            ends_soon = days is not None and days <= _KEY_ENDS_SOON
            return Finding.KEY_ENDING if ends_soon else Finding.KEY_FINE
        case SealBroken():
            return Finding.KEY_UNREADABLE
        case TooPowerful():
            return Finding.KEY_TOO_POWERFUL
        case MissingPermission():
            return Finding.KEY_LACKING
        case AddressRefused():
            return Finding.KEY_UNKNOWN
        case Rejected():
            return Finding.KEY_REFUSED
        case _:
            return Finding.KEY_UNKNOWN


def _address(found: Symptoms) -> list[Finding]:
    """Nothing to say of a key that is refused anyway."""
    match found.key:
        case KeyPowers(addresses=addresses):
            return [Finding.ADDRESS_BOUND if addresses else Finding.ADDRESS_ANY]
        case AddressRefused():
            return [Finding.ADDRESS_REFUSED]
        case Rejected() | SealBroken():
            return []
        case _:
            return [Finding.ADDRESS_UNKNOWN]


def _pair(rules: PairRules | EngineError) -> Finding:
    if isinstance(rules, PairUnavailable):
        return Finding.PAIR_HIDDEN
    if isinstance(rules, EngineError):
        return Finding.PAIR_UNKNOWN
    if not rules.is_open:
        return Finding.PAIR_CLOSED
    both = rules.allows(Side.BUY) and rules.allows(Side.SELL)
    return Finding.PAIR_FINE if both else Finding.PAIR_ONE_SIDED


def _market(found: Symptoms) -> Finding:
    if isinstance(found.book, EngineError):
        return Finding.MARKET_UNKNOWN
    gap = spread(found.book)
    if gap is None:
        return Finding.MARKET_EMPTY
    if gap > _WIDE_SPREAD:
        return Finding.MARKET_WIDE
    thin = min(depth(found.book, within=WITHIN)) < found.account.limits_in_force.order
    return Finding.MARKET_THIN if thin else Finding.MARKET_FINE


def _settings(found: Symptoms) -> Finding:
    """Whether a drift at the band's edge is large enough for an order, and there is an edge."""
    settings = found.account.settings
    reach = settings.threshold.in_quote(settings.target)
    if reach >= settings.target:
        return Finding.SETTINGS_CANNOT_TRADE
    if isinstance(found.rules, EngineError):
        return Finding.SETTINGS_UNKNOWN
    too_small = reach < smallest_order(found.rules)
    return Finding.SETTINGS_CANNOT_TRADE if too_small else Finding.SETTINGS_FINE


def _database(stored_in: timedelta | None) -> Finding:
    if stored_in is None:
        return Finding.DATABASE_BROKEN
    return Finding.DATABASE_SLOW if stored_in > _SLOW else Finding.DATABASE_FINE


def _checks(found: Symptoms) -> Finding:
    load = found.workload
    if found.host_refused is not None:
        return Finding.HOST_REFUSED
    if load.is_stopped or load.silent_for > timedelta():
        return Finding.CHECKS_STOPPED if load.is_stopped else Finding.CHECKS_SILENCED
    late = Finding.CHECKS_RATIONED if load.is_rationed else Finding.CHECKS_LATE
    return Finding.CHECKS_FINE if load.by <= _LATE else late


def _messages(backlog: Backlog | None) -> list[Finding]:
    if backlog is None:
        return [Finding.MESSAGES_UNKNOWN]
    elsewhere = [Finding.OTHERS_REFUSED] if backlog.refused.others else []
    if backlog.refused.here is not None:
        return [Finding.MESSAGES_REFUSED, *elsewhere]
    if backlog.given_up:
        return [Finding.MESSAGES_GIVEN_UP, *elsewhere]
    waiting = backlog.mine or backlog.all > _MANY_WAITING
    return [Finding.MESSAGES_WAITING if waiting else Finding.MESSAGES_FINE, *elsewhere]


def _polls(polled: timedelta | None) -> Finding:
    if polled is None:
        return Finding.POLLS_UNKNOWN
    return Finding.POLLS_OLD if polled > _POLL_OLD else Finding.POLLS_FINE
