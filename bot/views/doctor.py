"""`/doctor`: each finding in a line, with its remedy below where there is one."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.interaction.message import Message
from bot.views.alerts.incidents import MOVE_HOST, add_address, host_refused, trouble_title
from bot.views.alerts.key_expiry import RENEW, REPLACE
from bot.views.alerts.undeliverable import refused_elsewhere_line, refused_here_line
from bot.views.components.amounts import about_percent, count, pair_name, percent, usdt
from bot.views.components.badges import badge
from bot.views.components.forecast import caution
from bot.views.components.keyboards import keyboard, typed
from bot.views.components.layout import escape, lines, quoted
from bot.views.components.times import compact, roughly, utc
from engine.diagnosis.findings import WITHIN, Grade, HealthFinding, Symptoms
from engine.diagnosis.workload import MessageBacklog
from engine.domain.execution.bound import ExecutionMode
from engine.domain.execution.capability import NO_LASTS, Capability
from engine.domain.market.decimals import ZERO
from engine.domain.market.liquidity import depth, spread
from engine.domain.market.pairs import PairRules, Side, base_of
from engine.domain.rebalancing.planner import smallest_order
from engine.errors import EngineError, Rejected
from engine.exchanges.interface import KeyPermissions

_SIGNS = {Grade.OK: "✅", Grade.LOOK: "⚠️", Grade.BROKEN: "❌"}
_SECOND = timedelta(seconds=1)
_CLOCK_OFF = (
    "Clock: {offset} Orders follow MEXC's clock. The times that I write are off. Please switch on "
    "NTP on the machine I run on."
)
# Each finding in words; `_facts` has what stands in braces: values and whole sentences.
_WORDS: Mapping[HealthFinding, str] = {
    HealthFinding.TRADING_STOPPED: "Trading: paused. {trouble} Mend it, then send /resume.",
    HealthFinding.TRADING_TROUBLED: "Trading: {trouble} I keep trying. /why tells more.",
    HealthFinding.ORDER_UNCLEAR: (
        "Order: one is unclear. I send nothing else. /status asks what you see."
    ),
    HealthFinding.CLOCK_FINE: "Clock: {offset}",
    HealthFinding.CLOCK_OFF: _CLOCK_OFF,
    HealthFinding.CLOCK_FAR_OFF: _CLOCK_OFF,
    HealthFinding.CLOCK_UNKNOWN: "Clock: MEXC did not tell its time. {again}",
    HealthFinding.NO_KEY: "Key: none. /connect adds one, /dryrun on trades on paper.",
    HealthFinding.KEY_FINE: "Key: {key} may trade and cannot withdraw. {life}",
    HealthFinding.KEY_ENDING: "Key: {key} is about to end. {life} {renew}",
    HealthFinding.KEY_EXPIRED: "Key: {key} has expired. {new_key}",
    HealthFinding.KEY_END_UNKNOWN: (
        "Key: {key} works. MEXC does not say when it ends: after 90 days, unless it has IP addresses."
    ),
    HealthFinding.KEY_REFUSED: "Key: MEXC refuses {key}. {answer} {new_key}",
    HealthFinding.KEY_LACKING: "Key: {key} lacks a permission. {answer} {only_these}",
    HealthFinding.KEY_TOO_POWERFUL: "Key: {key} may do too much. {answer} {only_these}",
    HealthFinding.KEY_UNREADABLE: (
        "Key: I cannot read my copy of {key}. Send it again with /connect."
    ),
    HealthFinding.KEY_UNKNOWN: "Key: MEXC said nothing about {key}. {again}",
    HealthFinding.ADDRESS_BOUND: "Address: the key works only from {addresses}.",
    HealthFinding.ADDRESS_ANY: (
        "Address: the key works from any IP. Safer: allow only mine at MEXC."
    ),
    HealthFinding.ADDRESS_REFUSED: (
        "Address: the key works only from other IPs. {answer} {add_address} Then send /resume."
    ),
    HealthFinding.ADDRESS_UNKNOWN: "Address: MEXC did not say from where the key works. {again}",
    HealthFinding.PAIR_FINE: "Pair: {pair} can be bought and sold. {minimum}",
    HealthFinding.PAIR_CLOSED: ("Pair: {shut} Wait, or choose another with /setpair."),
    HealthFinding.PAIR_ONE_SIDED: "Pair: {closed} Wait, or choose another with /setpair.",
    HealthFinding.PAIR_HIDDEN: (
        "Pair: MEXC does not show {pair} to this key. Allow it under the key's trading pairs at "
        "MEXC, or choose another with /setpair."
    ),
    HealthFinding.PAIR_UNKNOWN: "Pair: MEXC did not tell its rules. {again}",
    HealthFinding.MARKET_FINE: "Market: {spread} {depth}",
    HealthFinding.MARKET_WIDE: (
        "Market: {spread} A trade costs about half of that. A wider /setthreshold trades less "
        "often."
    ),
    HealthFinding.MARKET_THIN: (
        "Market: {spread} {depth} Your limit is {order_limit} an order: a large one would be "
        "filled in part. /limits order sets less."
    ),
    HealthFinding.MARKET_EMPTY: (
        "Market: one side of the order book of {pair} is empty. Wait, or choose another with "
        "/setpair."
    ),
    HealthFinding.MARKET_UNKNOWN: "Market: MEXC did not show its order book. {again}",
    HealthFinding.SETTINGS_FINE: "Settings: they fit MEXC's smallest order.",
    HealthFinding.SETTINGS_CANNOT_TRADE: "Settings: {caution}",
    HealthFinding.SETTINGS_UNKNOWN: (
        "Settings: I cannot check them without the pair's rules. {again}"
    ),
    HealthFinding.ORDERS_BOUND: (
        "Orders: with a bound, at most {slippage} from the middle price. To change it: /slippage"
    ),
    HealthFinding.ORDERS_MAKER: (
        "Orders: they wait 45 s first, then with a bound, at most {slippage} from the middle price."
    ),
    HealthFinding.ORDERS_MARKET: (
        "Orders: market orders, up to 5% from the last price. To set a bound: /execution auto"
    ),
    HealthFinding.ORDERS_MARKET_ONLY: (
        "Orders: market orders. MEXC takes no orders with a bound for {pair} from this key. I try "
        "again {tried_again}."
    ),
    HealthFinding.DATABASE_FINE: "Database: works.",
    HealthFinding.DATABASE_SLOW: (
        "Database: slow, one write took {stored_in}. If that stays so, look at its plan or its disk."
    ),
    HealthFinding.DATABASE_BROKEN: (
        "Database: I cannot write. Nothing is traded without it. Look at its plan, its disk and "
        "/logs."
    ),
    HealthFinding.CHECKS_FINE: "Checks: on time.",
    HealthFinding.CHECKS_LATE: (
        "Checks: up to {late} late. {overdue} I cannot do all that is due. The longest due comes "
        "first. A faster machine or a second process helps."
    ),
    HealthFinding.CHECKS_RATIONED: (
        "Checks: up to {late} late. {overdue} MEXC takes no more requests from me. The longest due "
        "comes first. A longer /setinterval helps."
    ),
    HealthFinding.CHECKS_SILENCED: (
        "Checks: MEXC asked me to wait {silence} more. Nothing is checked until then. I go on by "
        "myself."
    ),
    HealthFinding.CHECKS_STOPPED: (
        "Checks: none began for {beaten}. Nothing is traded. Please restart me: that is safe at "
        "any moment."
    ),
    HealthFinding.HOST_REFUSED: f"This server: {{refused}} {MOVE_HOST}",
    HealthFinding.STREAM_LIVE: (
        "Stream: live. I notice each change of a balance at once. I check every {every}, too."
    ),
    HealthFinding.STREAM_NOT_YET: "Stream: not live yet. Until it is, I check every {every}.",
    HealthFinding.STREAM_DOUBTED: (
        "Stream: in doubt. I connect again by myself. Until it is live again, I check every {every}."
    ),
    HealthFinding.STREAM_OFF: "Stream: off here (STREAMS=off). I check every {every}.",
    HealthFinding.STREAM_OTHER_EXCHANGE: (
        "Stream: off here. MEXC_API_URL is set, and MEXC_STREAM_URL is not. I check every {every}."
    ),
    HealthFinding.STREAM_REFUSED: (
        "Stream: none. MEXC does not open one for this key. {stream_answer} I check every {every}. "
        "I ask MEXC again each hour."
    ),
    HealthFinding.STREAM_NONE_LEFT: (
        "Stream: none. This process has as many as it may have. I check every {every}. "
        "MEXC_STREAMS_PER_ADDRESS sets how many."
    ),
    HealthFinding.STREAM_NOT_WELCOME: (
        "Stream: none. MEXC takes no more connections from this address. I try again within 10 min. "
        "I check every {every}."
    ),
    HealthFinding.POLLS_FINE: "Telegram: it answered {polled} ago.",
    HealthFinding.POLLS_OLD: (
        "Telegram: it last answered {polled} ago. I start again by myself. If it stays so, look at "
        "the machine's network."
    ),
    HealthFinding.POLLS_UNKNOWN: "Telegram: it has not answered yet. {again}",
    HealthFinding.MESSAGES_FINE: "Messages: all of mine arrived here. {to_others}",
    HealthFinding.MESSAGES_WAITING: (
        "Messages: {mine} to this chat wait for Telegram, {all} in all. I keep trying."
    ),
    HealthFinding.MESSAGES_GIVEN_UP: (
        "Messages: Telegram refused {given_up} of mine here in the last week. {mine} wait. "
        "/history and /why have what they said."
    ),
    HealthFinding.MESSAGES_REFUSED: "Messages: {refused_here}",
    HealthFinding.OTHERS_REFUSED: "Messages: {refused_elsewhere}",
    HealthFinding.MESSAGES_UNKNOWN: "Messages: I could not count them. {again}",
}
_NONE_WAITS = MessageBacklog(0, 0, 0)


def doctor_view(
    *, found: Symptoms, findings: Sequence[HealthFinding], version: str, uptime: timedelta
) -> Message:
    facts = _facts(found)
    return Message.paragraphs(
        f"{badge(found.account)} · {_title(findings)}",
        lines(
            *(
                f"{_SIGNS[finding.grade]} {' '.join(_WORDS[finding].format_map(facts).split())}"
                for finding in findings
            )
        ),
        f"✅ Ballast {escape(version)}, up for {compact(uptime)}. /doctor checks again.",
        keyboard=keyboard([typed("doctor"), typed("status")]),
    )


def _title(findings: Sequence[HealthFinding]) -> str:
    grades = [finding.grade for finding in findings]
    broken, look = grades.count(Grade.BROKEN), grades.count(Grade.LOOK)
    if broken and look:
        return f"Check-up: {broken} broken, {look} to look at"
    if broken:
        return f"Check-up: {broken} broken"
    return f"Check-up: {look} to look at" if look else "All is well"


def _facts(found: Symptoms) -> Mapping[str, str]:
    """The parts of the sentences, already escaped; each is safe where its answer is missing."""
    symbol, load = found.account.settings.symbol, found.workload
    rules = None if isinstance(found.rules, EngineError) else found.rules
    key = found.key if isinstance(found.key, KeyPermissions) else None
    answer = found.key.message if isinstance(found.key, Rejected) else None
    overdue = load.late.overdue
    return {
        "again": "Send /doctor again in a minute.",
        "trouble": f"{trouble_title(found.trouble, symbol=symbol)}." if found.trouble else "",
        "offset": _offset(found.clock_ahead),
        "key": f"…{escape(found.account.key_tail or '')}",
        "life": _life(key),
        "renew": f"{RENEW} {REPLACE}",
        "new_key": "Make a new one at MEXC and send it with /connect: all settings stay.",
        "only_these": "Allow spot account read, spot trade read and spot trade write at MEXC, "
        "nothing else.",
        "answer": f"MEXC said {quoted(answer)}." if answer is not None else "",
        "addresses": escape(", ".join(key.addresses)) if key else "some addresses",
        "add_address": add_address(answer or ""),
        "pair": escape(pair_name(symbol)),
        "minimum": _minimum(rules) if rules else "",
        "shut": _shut(found, pair=escape(pair_name(symbol))),
        "slippage": percent(found.account.settings.slippage.fraction),
        "tried_again": _tried_again(found.ioc),
        "closed": _closed_sides(rules, pair=escape(pair_name(symbol))),
        **_market(found),
        "order_limit": usdt(found.account.limits_in_force.order),
        "caution": _caution(found, rules),
        "stored_in": _seconds(found.stored_in),
        "late": roughly(load.by),
        "overdue": count(overdue, "1 is due now.", "{n} are due now.") if overdue else "",
        "silence": roughly(load.silent_for),
        "beaten": roughly(load.beaten or timedelta()),
        "refused": host_refused(found.host_refused or ""),
        "polled": _seconds(found.polled),
        **_stream(found),
        **_backlog(found.backlog or _NONE_WAITS),
    }


def _backlog(backlog: MessageBacklog) -> Mapping[str, str]:
    here, others = backlog.refused.here, backlog.refused.others
    return {
        "mine": str(backlog.mine),
        "all": str(backlog.all),
        "given_up": str(backlog.given_up),
        "to_others": f"{backlog.all} to others wait." if backlog.all else "",
        "refused_here": refused_here_line(here, waiting=backlog.mine) if here else "",
        "refused_elsewhere": refused_elsewhere_line(others) if others else "",
    }


def _stream(found: Symptoms) -> Mapping[str, str]:
    stream = found.stream
    answer = stream.refused.message if stream and stream.refused else None
    return {
        "every": roughly(stream.every if stream else found.account.settings.interval),
        "stream_answer": f"MEXC said {quoted(answer)}." if answer else "",
    }


def _life(key: KeyPermissions | None) -> str:
    if key is None or key.days_left is None:
        return "It does not expire."
    return count(key.days_left, "It ends in 1 day.", "It ends in {n} days.")


def _offset(ahead: timedelta | EngineError) -> str:
    if isinstance(ahead, EngineError):
        return "It is not known how far it is from MEXC's."
    if abs(ahead) < _SECOND:
        return "It is within a second of MEXC's."
    if ahead > timedelta():
        return f"It is {roughly(ahead)} behind MEXC's."
    return f"It is {roughly(-ahead)} ahead of MEXC's."


def _minimum(rules: PairRules) -> str:
    return (
        f"The smallest order is {usdt(smallest_order(rules))}, the fee is "
        f"{percent(rules.taker_fee_rate)}."
    )


def _shut(found: Symptoms, *, pair: str) -> str:
    if found.account.settings.execution is ExecutionMode.MARKET:
        return f"{pair} takes no market orders from API keys now."
    return f"{pair} takes no orders from API keys now."


def _tried_again(ioc: Capability | None) -> str:
    return utc(ioc.at + NO_LASTS) if ioc and ioc.at else "in a week"


def _closed_sides(rules: PairRules | None, *, pair: str) -> str:
    if rules is None or not (rules.allows(Side.BUY) or rules.allows(Side.SELL)):
        return f"{pair} cannot be traded now."
    if rules.allows(Side.BUY):
        return f"{pair} cannot be sold now."
    return f"{pair} cannot be bought now."


def _market(found: Symptoms) -> Mapping[str, str]:
    if isinstance(found.book, EngineError):
        return {"spread": "The best prices are not known.", "depth": ""}
    offered, wanted = depth(found.book, within=WITHIN)
    base = escape(base_of(found.account.settings.symbol))
    return {
        "spread": f"The best prices are {about_percent(spread(found.book) or ZERO)} apart.",
        "depth": f"Within {percent(WITHIN)} you can buy {base} for {usdt(offered)} and sell for "
        f"{usdt(wanted)}.",
    }


def _caution(found: Symptoms, rules: PairRules | None) -> str:
    told = caution(found.account.settings, rules=rules, seen=found.seen)
    if told is None:
        return "They cannot trade. /setthreshold 5% would work."
    remedies = ", ".join(f"/{r.command} {r.argument}" for r in told.remedies)
    text = told.text.removeprefix("⚠️ ")
    return f"{text} These would work: {remedies}." if remedies else text


def _seconds(duration: timedelta | None) -> str:
    return roughly(max(duration or _SECOND, _SECOND))
