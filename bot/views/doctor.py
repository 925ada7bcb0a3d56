"""`/doctor`: each finding in a line, with its remedy below where there is one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from bot.interaction.message import Message
from bot.views.alerts.incidents import MOVE_HOST, address_in, host_refused, trouble_title
from bot.views.alerts.key_expiry import RENEW, REPLACE
from bot.views.alerts.undeliverable import refused_elsewhere_line, refused_here_line
from bot.views.components.amounts import about_percent, pair_name, percent, usdt
from bot.views.components.badges import badge
from bot.views.components.forecast import caution
from bot.views.components.keyboards import keyboard, typed
from bot.views.components.layout import escape, lines, quoted
from bot.views.components.times import compact, roughly
from bot.views.workload import workload_line
from engine.accounts.diagnosis import WITHIN, Grade, HealthFinding, Symptoms, grade
from engine.domain.market.liquidity import depth, spread
from engine.domain.market.pairs import Side, base_of
from engine.domain.rebalancing.planner import smallest_order
from engine.errors import EngineError, Rejected
from engine.exchanges.interface import KeyPermissions

_SIGNS = {Grade.OK: "✅", Grade.LOOK: "⚠️", Grade.BROKEN: "❌"}
_SECOND = timedelta(seconds=1)
_AGAIN = "Please send /doctor again in a minute."
_NEW_KEY = "Make a new key at MEXC and send it with /connect: all settings stay."
_ONLY_THESE = (
    "Give it spot account read, spot trade read and spot trade write at MEXC, nothing else."
)


def doctor_view(
    *, found: Symptoms, findings: Sequence[HealthFinding], version: str, uptime: timedelta
) -> Message:
    words = _Words(found)
    return Message.paragraphs(
        f"{badge(found.account)} · {_title(findings)}",
        lines(*(_line(finding, words) for finding in findings)),
        f"✅ Ballast {escape(version)}, up for {compact(uptime)}. /doctor looks again.",
        keyboard=keyboard([typed("doctor"), typed("status")]),
    )


def _title(findings: Sequence[HealthFinding]) -> str:
    grades = [grade(finding) for finding in findings]
    broken, look = grades.count(Grade.BROKEN), grades.count(Grade.LOOK)
    if not broken and not look:
        return "All is well"
    parts = [f"{broken} broken" if broken else "", f"{look} to look at" if look else ""]
    return "Check-up: " + ", ".join(part for part in parts if part)


def _line(finding: HealthFinding, words: "_Words") -> str:
    return f"{_SIGNS[grade(finding)]} {words.of(finding)}"


@dataclass(frozen=True, slots=True)
class _Words:
    found: Symptoms

    def of(self, finding: HealthFinding) -> str:  # noqa: C901, PLR0911, PLR0912 - one return a finding
        pair = escape(pair_name(self.found.account.settings.symbol))
        match finding:
            case HealthFinding.TRADING_STOPPED:
                return f"Trading: paused. {self._trouble()} When it is mended, send /resume."
            case HealthFinding.TRADING_TROUBLED:
                return f"Trading: {self._trouble()} I keep trying. /why tells more."
            case HealthFinding.ORDER_UNCLEAR:
                return "Order: one is unclear and nothing else is sent. /status asks what you see."
            case HealthFinding.CLOCK_FINE:
                return f"Clock: {self._offset()} MEXC's."
            case HealthFinding.CLOCK_OFF | HealthFinding.CLOCK_FAR_OFF:
                return (
                    f"Clock: {self._offset()} MEXC's. Orders follow MEXC's clock, but the times "
                    "I write are off. Please switch on NTP on the machine I run on."
                )
            case HealthFinding.CLOCK_UNKNOWN:
                return f"Clock: MEXC did not tell its time. {_AGAIN}"
            case HealthFinding.NO_KEY:
                return "Key: none. Send /connect to add one, or /dryrun on to try on paper."
            case HealthFinding.KEY_FINE | HealthFinding.KEY_ENDING | HealthFinding.KEY_EXPIRED:
                return self._key_life(finding)
            case HealthFinding.KEY_END_UNKNOWN:
                return (
                    f"Key: {self._tail()} works. MEXC does not tell when it ends: 90 days after "
                    "it was made, unless it is bound to addresses."
                )
            case HealthFinding.KEY_REFUSED:
                return f"Key: MEXC refuses {self._tail()}{self._answer()}. {_NEW_KEY}"
            case HealthFinding.KEY_LACKING:
                return f"Key: {self._tail()} lacks a permission{self._answer()}. {_ONLY_THESE}"
            case HealthFinding.KEY_TOO_POWERFUL:
                return f"Key: {self._tail()} may do too much{self._answer()}. {_ONLY_THESE}"
            case HealthFinding.KEY_UNREADABLE:
                return (
                    f"Key: I cannot read my copy of {self._tail()}. Send it again with /connect."
                )
            case HealthFinding.KEY_UNKNOWN:
                return f"Key: MEXC did not tell about {self._tail()}. {_AGAIN}"
            case HealthFinding.ADDRESS_BOUND:
                return f"Address: the key works only from {self._addresses()}."
            case HealthFinding.ADDRESS_ANY:
                return "Address: the key works from anywhere. Bound to mine at MEXC, it is safer."
            case HealthFinding.ADDRESS_REFUSED:
                return (
                    f"Address: the key is bound to others{self._answer()}. "
                    f"Add {self._my_address()} to it at MEXC, then /resume."
                )
            case HealthFinding.ADDRESS_UNKNOWN:
                return f"Address: MEXC did not tell from where the key works. {_AGAIN}"
            case HealthFinding.PAIR_FINE:
                return f"Pair: {pair} is open both ways{self._minimum()}."
            case HealthFinding.PAIR_CLOSED:
                return (
                    f"Pair: {pair} takes no market orders from API keys now. Wait, or choose "
                    "another with /setpair."
                )
            case HealthFinding.PAIR_ONE_SIDED:
                return f"Pair: {pair} cannot be {self._closed_sides()} now. Wait, or /setpair."
            case HealthFinding.PAIR_HIDDEN:
                return (
                    f"Pair: MEXC does not show {pair} to this key. Allow it under the key's "
                    "trading pairs at MEXC, or choose another with /setpair."
                )
            case HealthFinding.PAIR_UNKNOWN:
                return f"Pair: MEXC did not tell its rules. {_AGAIN}"
            case HealthFinding.MARKET_FINE:
                return f"Market: {self._spread()}, {self._depth()}."
            case HealthFinding.MARKET_WIDE:
                return (
                    f"Market: {self._spread()}: each trade costs about half of that. A wider "
                    "/setthreshold trades less often."
                )
            case HealthFinding.MARKET_THIN:
                return (
                    f"Market: {self._spread()}, {self._depth()}. One order may have up to "
                    f"{usdt(self.found.account.limits_in_force.order)}; a large one would be "
                    "filled in part. /limits order sets less."
                )
            case HealthFinding.MARKET_EMPTY:
                return f"Market: one side of the order book of {pair} is empty. Wait, or /setpair."
            case HealthFinding.MARKET_UNKNOWN:
                return f"Market: MEXC did not show its order book. {_AGAIN}"
            case HealthFinding.SETTINGS_FINE:
                return "Settings: a drift out of the band is large enough for an order."
            case HealthFinding.SETTINGS_CANNOT_TRADE:
                return f"Settings: {self._caution()}"
            case HealthFinding.SETTINGS_UNKNOWN:
                return "Settings: without the pair's rules I cannot tell whether they can trade."
            case HealthFinding.DATABASE_FINE:
                return "Database: it takes what I write."
            case HealthFinding.DATABASE_SLOW:
                return (
                    f"Database: writing took {_seconds(self.found.stored_in)}. If that stays so, "
                    "look at its plan or its disk."
                )
            case HealthFinding.DATABASE_BROKEN:
                return (
                    "Database: I cannot write. Nothing is traded without it. Look at its plan, its "
                    "disk and /logs."
                )
            case _:
                return self._of_messages(finding)

    def _of_messages(self, finding: HealthFinding) -> str:  # noqa: C901, PLR0911 - one return a finding
        backlog = self.found.backlog
        match finding:
            case HealthFinding.MESSAGES_REFUSED if backlog and backlog.refused.here:
                return refused_here_line(backlog.refused.here, waiting=backlog.mine)
            case HealthFinding.OTHERS_REFUSED if backlog:
                return refused_elsewhere_line(backlog.refused.others)
            case HealthFinding.MESSAGES_GIVEN_UP if backlog:
                return (
                    f"Messages: Telegram refused {backlog.given_up} of mine to this chat in the "
                    f"last week, {backlog.mine} wait. /history and /why have what they told."
                )
            case HealthFinding.MESSAGES_WAITING if backlog:
                return (
                    f"Messages: {backlog.mine} to this chat wait for Telegram, {backlog.all} in "
                    "all. I keep trying; you need not do anything."
                )
            case HealthFinding.HOST_REFUSED:
                return f"This server: {host_refused(self.found.host_refused or '')} {MOVE_HOST}"
            case HealthFinding.MESSAGES_FINE if backlog:
                others = f", {backlog.all} to others wait" if backlog.all else ""
                return f"Messages: all of mine have arrived here{others}."
            case (
                HealthFinding.CHECKS_FINE
                | HealthFinding.CHECKS_LATE
                | HealthFinding.CHECKS_RATIONED
                | HealthFinding.CHECKS_SILENCED
                | HealthFinding.CHECKS_STOPPED
            ):
                return workload_line(finding, self.found.workload)
            case HealthFinding.POLLS_FINE:
                return f"Telegram: it answered {_seconds(self.found.polled)} ago."
            case HealthFinding.POLLS_OLD:
                return (
                    f"Telegram: it last answered {_seconds(self.found.polled)} ago. I begin anew "
                    "by myself; if it stays so, look at the machine's network."
                )
            case HealthFinding.POLLS_UNKNOWN:
                return f"Telegram: no poll has been answered yet. {_AGAIN}"
            case _:
                return f"Messages: I could not count them. {_AGAIN}"

    def _trouble(self) -> str:
        trouble = self.found.trouble
        if trouble is None:
            return ""
        return f"{trouble_title(trouble, symbol=self.found.account.settings.symbol)}."

    def _offset(self) -> str:
        ahead = self.found.clock_ahead
        if isinstance(ahead, EngineError):
            return "somewhere near"
        if abs(ahead) < _SECOND:
            return "within a second"
        return f"{roughly(abs(ahead))} {'behind' if ahead > timedelta() else 'ahead of'}"

    def _tail(self) -> str:
        return f"the one ending in {escape(self.found.account.key_tail or '')}"

    def _answer(self) -> str:
        key = self.found.key
        return f": {quoted(key.message)}" if isinstance(key, Rejected) else ""

    def _key_life(self, finding: HealthFinding) -> str:
        days = self.found.key.days_left if isinstance(self.found.key, KeyPermissions) else None
        if finding is HealthFinding.KEY_EXPIRED:
            return f"Key: {self._tail()} has expired. {_NEW_KEY}"
        if days is None:
            return f"Key: {self._tail()} may trade and not withdraw. It does not expire."
        left = "1 day" if days == 1 else f"{days} days"
        if finding is HealthFinding.KEY_ENDING:
            return f"Key: {self._tail()} ends in {left}. {RENEW} {REPLACE}"
        return f"Key: {self._tail()} may trade and not withdraw, {left} left."

    def _addresses(self) -> str:
        key = self.found.key
        return (
            escape(", ".join(key.addresses))
            if isinstance(key, KeyPermissions)
            else "some addresses"
        )

    def _my_address(self) -> str:
        key = self.found.key
        return address_in(key.message) if isinstance(key, Rejected) else "my address"

    def _minimum(self) -> str:
        rules = self.found.rules
        if isinstance(rules, EngineError):
            return ""
        fee = percent(rules.taker_fee_rate)
        return f", orders from {usdt(smallest_order(rules))}, fee {fee}"

    def _closed_sides(self) -> str:
        rules = self.found.rules
        if isinstance(rules, EngineError):
            return "traded"
        sides = [
            word
            for side, word in ((Side.BUY, "bought"), (Side.SELL, "sold"))
            if not rules.allows(side)
        ]
        return " or ".join(sides)

    def _spread(self) -> str:
        gap = None if isinstance(self.found.book, EngineError) else spread(self.found.book)
        return f"the best prices are {about_percent(gap or Decimal(0))} apart"

    def _depth(self) -> str:
        if isinstance(self.found.book, EngineError):
            return "its depth is not known"
        offered, wanted = depth(self.found.book, within=WITHIN)
        base = escape(base_of(self.found.account.settings.symbol))
        return (
            f"within {percent(WITHIN)} you can buy {base} for {usdt(offered)} "
            f"and sell for {usdt(wanted)}"
        )

    def _caution(self) -> str:
        rules = None if isinstance(self.found.rules, EngineError) else self.found.rules
        told = caution(self.found.account.settings, rules=rules, seen=self.found.seen)
        if told is None:
            return "they cannot trade. /setthreshold 5% would work."
        remedies = " or ".join(f"/{r.command} {r.argument}" for r in told.remedies)
        return told.text.removeprefix("⚠️ ") + (f" Try {remedies}." if remedies else "")


def _seconds(duration: timedelta | None) -> str:
    return roughly(max(duration or _SECOND, _SECOND))
