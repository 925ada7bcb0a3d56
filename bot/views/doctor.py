"""`/doctor`: each finding in a line, with its remedy below where there is one."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.interaction.message import Message
from bot.views.alerts.incidents import MOVE_HOST, address_in, host_refused, trouble_title
from bot.views.alerts.key_expiry import RENEW, REPLACE
from bot.views.alerts.undeliverable import refused_elsewhere_line, refused_here_line
from bot.views.components.amounts import about_percent, pair_name, percent, usdt
from bot.views.components.badges import badge
from bot.views.components.forecast import caution
from bot.views.components.keyboards import keyboard, typed
from bot.views.components.layout import escape, lines, quoted
from bot.views.components.times import compact, days, roughly
from engine.accounts.diagnosis import WITHIN, Grade, HealthFinding, Symptoms
from engine.accounts.workload import MessageBacklog
from engine.domain.market.decimals import ZERO
from engine.domain.market.liquidity import depth, spread
from engine.domain.market.pairs import PairRules, Side, base_of
from engine.domain.rebalancing.planner import smallest_order
from engine.errors import EngineError, Rejected
from engine.exchanges.interface import KeyPermissions

_SIGNS = {Grade.OK: "✅", Grade.LOOK: "⚠️", Grade.BROKEN: "❌"}
_SECOND = timedelta(seconds=1)
_AGAIN = "Please send /doctor again in a minute."
# Each finding in words; `_facts` has what stands in braces.
_WORDS: Mapping[HealthFinding, str] = {
    HealthFinding.TRADING_STOPPED: ("Trading: paused. {trouble} When it is mended, send /resume."),
    HealthFinding.TRADING_TROUBLED: "Trading: {trouble} I keep trying. /why tells more.",
    HealthFinding.ORDER_UNCLEAR: (
        "Order: one is unclear and nothing else is sent. /status asks what you see."
    ),
    HealthFinding.CLOCK_FINE: "Clock: {offset} MEXC's.",
    HealthFinding.CLOCK_OFF: (
        "Clock: {offset} MEXC's. Orders follow MEXC's clock, but the times "
        "I write are off. Please switch on NTP on the machine I run on."
    ),
    HealthFinding.CLOCK_FAR_OFF: (
        "Clock: {offset} MEXC's. Orders follow MEXC's clock, but the times "
        "I write are off. Please switch on NTP on the machine I run on."
    ),
    HealthFinding.CLOCK_UNKNOWN: "Clock: MEXC did not tell its time. {again}",
    HealthFinding.NO_KEY: "Key: none. Send /connect to add one, or /dryrun on to try on paper.",
    HealthFinding.KEY_FINE: "Key: {key} may trade and not withdraw{life}.",
    HealthFinding.KEY_ENDING: "Key: {key} ends in {days}. {renew}",
    HealthFinding.KEY_EXPIRED: "Key: {key} has expired. {new_key}",
    HealthFinding.KEY_END_UNKNOWN: (
        "Key: {key} works. MEXC does not tell when it ends: 90 days after "
        "it was made, unless it is bound to addresses."
    ),
    HealthFinding.KEY_REFUSED: "Key: MEXC refuses {key}{answer}. {new_key}",
    HealthFinding.KEY_LACKING: "Key: {key} lacks a permission{answer}. {only_these}",
    HealthFinding.KEY_TOO_POWERFUL: "Key: {key} may do too much{answer}. {only_these}",
    HealthFinding.KEY_UNREADABLE: (
        "Key: I cannot read my copy of {key}. Send it again with /connect."
    ),
    HealthFinding.KEY_UNKNOWN: "Key: MEXC did not tell about {key}. {again}",
    HealthFinding.ADDRESS_BOUND: "Address: the key works only from {addresses}.",
    HealthFinding.ADDRESS_ANY: (
        "Address: the key works from anywhere. Bound to mine at MEXC, it is safer."
    ),
    HealthFinding.ADDRESS_REFUSED: (
        "Address: the key is bound to others{answer}. Add {my_address} to it at MEXC, then /resume."
    ),
    HealthFinding.ADDRESS_UNKNOWN: "Address: MEXC did not tell from where the key works. {again}",
    HealthFinding.PAIR_FINE: "Pair: {pair} is open both ways{minimum}.",
    HealthFinding.PAIR_CLOSED: (
        "Pair: {pair} takes no market orders from API keys now. Wait, or choose "
        "another with /setpair."
    ),
    HealthFinding.PAIR_ONE_SIDED: "Pair: {pair} cannot be {closed} now. Wait, or /setpair.",
    HealthFinding.PAIR_HIDDEN: (
        "Pair: MEXC does not show {pair} to this key. Allow it under the key's "
        "trading pairs at MEXC, or choose another with /setpair."
    ),
    HealthFinding.PAIR_UNKNOWN: "Pair: MEXC did not tell its rules. {again}",
    HealthFinding.MARKET_FINE: "Market: {spread}, {depth}.",
    HealthFinding.MARKET_WIDE: (
        "Market: {spread}: each trade costs about half of that. A wider "
        "/setthreshold trades less often."
    ),
    HealthFinding.MARKET_THIN: (
        "Market: {spread}, {depth}. One order may have up to "
        "{order_limit}; a large one would be filled in part. /limits order sets less."
    ),
    HealthFinding.MARKET_EMPTY: (
        "Market: one side of the order book of {pair} is empty. Wait, or /setpair."
    ),
    HealthFinding.MARKET_UNKNOWN: "Market: MEXC did not show its order book. {again}",
    HealthFinding.SETTINGS_FINE: (
        "Settings: a drift out of the band is large enough for an order."
    ),
    HealthFinding.SETTINGS_CANNOT_TRADE: "Settings: {caution}",
    HealthFinding.SETTINGS_UNKNOWN: (
        "Settings: without the pair's rules I cannot tell whether they can trade."
    ),
    HealthFinding.DATABASE_FINE: "Database: it takes what I write.",
    HealthFinding.DATABASE_SLOW: (
        "Database: writing took {stored_in}. If that stays so, look at its plan or its disk."
    ),
    HealthFinding.DATABASE_BROKEN: (
        "Database: I cannot write. Nothing is traded without it. Look at its plan, its "
        "disk and /logs."
    ),
    HealthFinding.CHECKS_FINE: "Checks: they begin when they are due.",
    HealthFinding.CHECKS_LATE: (
        "Checks: up to {late} late{overdue}: more is due than I get "
        "done. {fairly} A faster machine or a second process helps."
    ),
    HealthFinding.CHECKS_RATIONED: (
        "Checks: up to {late} late{overdue}, because MEXC lets me ask "
        "no more. {fairly} A longer /setinterval helps."
    ),
    HealthFinding.CHECKS_SILENCED: (
        "Checks: MEXC asked for silence, {silence} more. Until then I "
        "ask it nothing, for nobody. I go on by myself."
    ),
    HealthFinding.CHECKS_STOPPED: (
        "Checks: none has begun for {beaten}. Nothing is "
        "traded meanwhile. Please restart me: that is safe at any moment."
    ),
    HealthFinding.HOST_REFUSED: f"This server: {{refused}} {MOVE_HOST}",
    HealthFinding.POLLS_FINE: "Telegram: it answered {polled} ago.",
    HealthFinding.POLLS_OLD: (
        "Telegram: it last answered {polled} ago. I begin anew "
        "by myself; if it stays so, look at the machine's network."
    ),
    HealthFinding.POLLS_UNKNOWN: "Telegram: no poll has been answered yet. {again}",
}


def doctor_view(
    *, found: Symptoms, findings: Sequence[HealthFinding], version: str, uptime: timedelta
) -> Message:
    facts = _facts(found)
    return Message.paragraphs(
        f"{badge(found.account)} · {_title(findings)}",
        lines(
            *(
                f"{_SIGNS[finding.grade]} {_sentence(finding, facts, found.backlog)}"
                for finding in findings
            )
        ),
        f"✅ Ballast {escape(version)}, up for {compact(uptime)}. /doctor looks again.",
        keyboard=keyboard([typed("doctor"), typed("status")]),
    )


def _title(findings: Sequence[HealthFinding]) -> str:
    grades = [finding.grade for finding in findings]
    broken, look = grades.count(Grade.BROKEN), grades.count(Grade.LOOK)
    if not broken and not look:
        return "All is well"
    parts = [f"{broken} broken" if broken else "", f"{look} to look at" if look else ""]
    return "Check-up: " + ", ".join(part for part in parts if part)


def _sentence(
    finding: HealthFinding, facts: Mapping[str, str], backlog: MessageBacklog | None
) -> str:
    if finding in _WORDS:
        return _WORDS[finding].format_map(facts)
    return _of_messages(finding, backlog)


def _of_messages(finding: HealthFinding, backlog: MessageBacklog | None) -> str:
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
        case HealthFinding.MESSAGES_FINE if backlog:
            others = f", {backlog.all} to others wait" if backlog.all else ""
            return f"Messages: all of mine have arrived here{others}."
        case _:
            return f"Messages: I could not count them. {_AGAIN}"


def _facts(found: Symptoms) -> Mapping[str, str]:
    """The parts of the sentences, already escaped; each is safe where its answer is missing."""
    symbol, load = found.account.settings.symbol, found.workload
    rules = None if isinstance(found.rules, EngineError) else found.rules
    key = found.key if isinstance(found.key, KeyPermissions) else None
    answer = found.key.message if isinstance(found.key, Rejected) else None
    left = None if key is None or key.days_left is None else days(key.days_left)
    overdue = load.late.overdue
    return {
        "again": _AGAIN,
        "trouble": f"{trouble_title(found.trouble, symbol=symbol)}." if found.trouble else "",
        "offset": _offset(found.clock_ahead),
        "key": f"the one ending in {escape(found.account.key_tail or '')}",
        "days": left or "",
        "life": f", {left} left" if left else ". It does not expire",
        "renew": f"{RENEW} {REPLACE}",
        "new_key": "Make a new key at MEXC and send it with /connect: all settings stay.",
        "only_these": "Give it spot account read, spot trade read and spot trade write at MEXC, "
        "nothing else.",
        "answer": f": {quoted(answer)}" if answer is not None else "",
        "addresses": escape(", ".join(key.addresses)) if key else "some addresses",
        "my_address": address_in(answer) if answer is not None else "my address",
        "pair": escape(pair_name(symbol)),
        "minimum": _minimum(rules) if rules else "",
        "closed": _closed_sides(rules) if rules else "traded",
        **_market(found),
        "order_limit": usdt(found.account.limits_in_force.order),
        "caution": _caution(found, rules),
        "stored_in": _seconds(found.stored_in),
        "late": roughly(load.by),
        "overdue": f", {overdue} due now" if overdue else "",
        "fairly": "Nobody is left out: whoever has been due for longest comes first.",
        "silence": roughly(load.silent_for),
        "beaten": roughly(load.beaten or timedelta()),
        "refused": host_refused(found.host_refused or ""),
        "polled": _seconds(found.polled),
    }


def _offset(ahead: timedelta | EngineError) -> str:
    if isinstance(ahead, EngineError):
        return "somewhere near"
    if abs(ahead) < _SECOND:
        return "within a second"
    return f"{roughly(abs(ahead))} {'behind' if ahead > timedelta() else 'ahead of'}"


def _minimum(rules: PairRules) -> str:
    fee = percent(rules.taker_fee_rate)
    return f", orders from {usdt(smallest_order(rules))}, fee {fee}"


def _closed_sides(rules: PairRules) -> str:
    words = {Side.BUY: "bought", Side.SELL: "sold"}
    return " or ".join(word for side, word in words.items() if not rules.allows(side))


def _market(found: Symptoms) -> Mapping[str, str]:
    if isinstance(found.book, EngineError):
        return {"spread": "the best prices are not known", "depth": "its depth is not known"}
    offered, wanted = depth(found.book, within=WITHIN)
    base = escape(base_of(found.account.settings.symbol))
    return {
        "spread": f"the best prices are {about_percent(spread(found.book) or ZERO)} apart",
        "depth": f"within {percent(WITHIN)} you can buy {base} for {usdt(offered)} "
        f"and sell for {usdt(wanted)}",
    }


def _caution(found: Symptoms, rules: PairRules | None) -> str:
    told = caution(found.account.settings, rules=rules, seen=found.seen)
    if told is None:
        return "they cannot trade. /setthreshold 5% would work."
    remedies = " or ".join(f"/{r.command} {r.argument}" for r in told.remedies)
    return told.text.removeprefix("⚠️ ") + (f" Try {remedies}." if remedies else "")


def _seconds(duration: timedelta | None) -> str:
    return roughly(max(duration or _SECOND, _SECOND))
