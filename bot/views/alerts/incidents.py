"""Each kind of incident: what happened, what it means for the money, what comes next."""

import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from ipaddress import ip_address

from bot.interaction.message import Message
from bot.views.components.amounts import about_percent, count
from bot.views.components.badges import RECOVERED, TROUBLE, alert_badge
from bot.views.components.keyboards import do, keyboard
from bot.views.components.layout import escape, lines, quoted
from bot.views.components.no_trade_reasons import reason_advice, reason_text
from bot.views.components.times import roughly, utc
from engine.domain.accounts.incidents import Incident, IncidentKind
from engine.domain.alerts.alerts import IncidentAlert, IncidentResolved
from engine.domain.market.decimals import decimal_from_text
from engine.domain.market.pairs import Symbol, base_of

_NOTHING_TRADED = "Nothing was traded."
_PAUSED = "Trading is paused for this chat."
MOVE_HOST = "Move it to another region, or set MEXC_PROXY. The key is not the problem."
_MISSING = re.compile(r"(\w{1,40}) is missing")
# What the user misses if MEXC's answer has no such field.
_FIELDS: Mapping[str, str] = {
    "takerCommission": "MEXC did not send the fee of {pair}.",
    "quoteAmountPrecision": "MEXC did not send the smallest order of {pair}.",
    "maxQuoteAmount": "MEXC did not send the largest order of {pair}.",
    "baseAssetPrecision": "MEXC did not send the precision of {pair}.",
    "quotePrecision": "MEXC did not send the precision of {pair}.",
    "baseSizePrecision": "MEXC did not send the smallest quantity of {pair}.",
    "isSpotTradingAllowed": "MEXC did not send whether API keys may trade {pair}.",
    "orderTypes": "MEXC did not send which orders {pair} takes.",
    "balances": "MEXC did not send the balances of your account.",
    "bids": "MEXC did not send who buys {pair}.",
    "asks": "MEXC did not send who sells {pair}.",
    "price": "MEXC did not send the price of {pair}.",
}
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{3,45}")


@dataclass(frozen=True, slots=True)
class _Words:
    """*cite*: the detail is MEXC's own answer and is quoted. *over*: the title at its end."""

    title: str
    happened: str
    _: KW_ONLY
    money: str = "No order was sent."
    advice: str = "I try again by myself. You need not do anything."
    over: str
    cite: bool = False


_WORDS: Mapping[IncidentKind, _Words] = {
    IncidentKind.UNREACHABLE: _Words(
        "MEXC does not answer",
        "I could not reach MEXC.",
        over="MEXC answers again",
    ),
    IncidentKind.RATE_LIMITED: _Words(
        "MEXC asks me to slow down",
        "MEXC got too many requests from this server.",
        advice="I wait as long as MEXC asks, then go on. A longer /setinterval helps.",
        over="MEXC takes requests again",
        cite=True,
    ),
    IncidentKind.HOST_REFUSED: _Words(
        "MEXC is closed to this server",
        "{refused}",
        advice=f"I ask again every few minutes. {MOVE_HOST}",
        over="MEXC answers this server again",
    ),
    IncidentKind.BAD_DATA: _Words(
        "MEXC's answer makes no sense",
        "{unusable}",
        over="MEXC's answers make sense again",
    ),
    IncidentKind.STALE_BALANCE: _Words(
        "MEXC's balance is old",
        "MEXC's balance does not show your last trade yet. Trading on it would trade twice.",
        over="MEXC's balance is up to date",
    ),
    IncidentKind.CLOCK: _Words(
        "The clocks disagree",
        "MEXC's clock and mine differ, so MEXC would refuse my orders.",
        money=_NOTHING_TRADED,
        advice="I compare the clocks again and go on. You need not do anything.",
        over="The clocks agree again",
    ),
    IncidentKind.KEY_REFUSED: _Words(
        "MEXC refuses the key",
        "The key is expired, deleted or wrong.",
        advice="Make a new key at MEXC and send it with /connect. All settings stay. Then send /resume.",
        over="MEXC takes the key again",
        cite=True,
    ),
    IncidentKind.ADDRESS_REFUSED: _Words(
        "MEXC refuses the key",
        "The key allows other internet addresses, not mine.",
        advice="{add_address} Then send /resume.",
        over="MEXC takes the key again",
        cite=True,
    ),
    IncidentKind.MISSING_PERMISSION: _Words(
        "The key lacks a permission",
        "Trading needs a permission that the key does not have.",
        money=_NOTHING_TRADED,
        advice="At MEXC, let the key read the spot account and trade. Then send /resume.",
        over="The key may trade again",
        cite=True,
    ),
    IncidentKind.ACCOUNT_RESTRICTED: _Words(
        "MEXC restricts your account",
        "MEXC does not let this account trade.",
        advice="Ask MEXC's support what is missing, then send /resume.",
        over="Your account may trade again",
        cite=True,
    ),
    IncidentKind.KEY_UNREADABLE: _Words(
        "I cannot read your stored key",
        "It was encrypted with a key that this program no longer has.",
        advice="Send your MEXC key again with /connect, then send /resume.",
        over="The stored key can be read again",
    ),
    IncidentKind.PAIR_UNAVAILABLE: _Words(
        "{base}/USDT is closed to this key",
        "MEXC does not show the pair, or does not let this key trade it.",
        money=_NOTHING_TRADED,
        advice="I keep trying. Check the key's trading pairs at MEXC, or choose another pair: /setpair",
        over="The pair can be traded again",
        cite=True,
    ),
    IncidentKind.ORDER_REFUSED: _Words(
        "MEXC refused an order",
        "I sent the order once, and MEXC refused it.",
        money=_NOTHING_TRADED,
        advice="The next check reads your balance and decides again. More: /why",
        over="Orders are accepted again",
        cite=True,
    ),
    IncidentKind.NOT_FILLED: _Words(
        "An order was not filled",
        "No offer for {base} within reach of the order. MEXC cancelled it.",
        money="No money moved.",
        advice="The next check decides again. You need not do anything.",
        over="Orders are filled again",
    ),
    IncidentKind.BLOCKED: _Words(
        "I could not trade",
        "The balance is outside its band, but no order is possible.",
        advice="Each check tries again. More: /why",
        over="I can trade again",
    ),
    IncidentKind.BAD_FILL: _Words(
        "The fill was far off the price",
        "{worse}",
        money="The trade is done. No order follows until you say so.",
        advice="Please look at the market. To go on: /resume. To change the limit: /limits price",
        over="Fills are near the price again",
    ),
    IncidentKind.INTERNAL: _Words(
        "Something broke on my side",
        "A check failed because of a mistake in me. It is logged.",
        money="No new order was sent. An earlier one is looked up, and never sent again.",
        advice="I try again by myself. If it goes on: send /pause and tell my owner.",
        over="I work again",
    ),
}


def trouble_view(alert: IncidentAlert) -> Message:
    words = _WORDS[alert.kind]
    base = escape(base_of(alert.symbol))
    happened = _filled_in(words.happened, base=base, detail=alert.detail)
    advice = words.advice.replace("{add_address}", add_address(alert.detail))
    if alert.reason is not None:
        happened = reason_text(alert.reason, symbol=alert.symbol)
        advice = lines(
            "I look again at each check.", reason_advice(alert.reason, symbol=alert.symbol)
        )
    return Message.of(
        f"{alert_badge(alert, sign=TROUBLE)} · {words.title.format(base=base)}",
        words.money,
        happened,
        f"MEXC answered {quoted(alert.detail)}." if words.cite and alert.detail else None,
        f"So far {alert.count} times in {roughly(alert.at - alert.since)}."
        if alert.count > 1
        else None,
        _PAUSED if alert.paused else None,
        advice,
        keyboard=keyboard([do("Resume", "resume")]) if "/resume" in advice else None,
    )


def trouble_over_view(alert: IncidentResolved) -> Message:
    return Message.of(
        f"{alert_badge(alert, sign=RECOVERED)} · {_WORDS[alert.kind].over}",
        count(
            alert.count,
            "Back after {time} ({n} failed try).",
            "Back after {time} ({n} failed tries).",
            time=roughly(alert.at - alert.since),
        ),
        "Checks go on as before. More: /status",
    )


def trouble_note(trouble: Incident, *, symbol: Symbol) -> str:
    """An open incident in one line, for the status."""
    title = trouble_title(trouble, symbol=symbol)
    times = trouble.times(trouble.kind)
    if times.count == 1:
        return f"⚠️ {title}. More: /why"
    return f"⚠️ {title}. It has failed {times.count:,} times since {utc(times.since)}. More: /why"


def trouble_title(trouble: Incident, *, symbol: Symbol) -> str:
    return _WORDS[trouble.kind].title.format(base=escape(base_of(symbol)))


def what_went_wrong(kind: IncidentKind, *, detail: str, base: str) -> str:
    """What happened and what it means for the money; *base* is already escaped."""
    words = _WORDS[kind]
    return lines(
        words.money,
        _filled_in(words.happened, base=base, detail=detail),
        f"MEXC answered {quoted(detail)}." if words.cite and detail else None,
    )


def host_refused(status: str) -> str:
    """*status* is as in "HTTP 403"."""
    return (
        f"Something in front of MEXC refuses this server ({escape(status)}). "
        "The usual reason is its country or its address."
    )


def unusable_answer(detail: str, *, pair: str = "the pair") -> str:
    """Why an answer of MEXC's was not used. *pair* is already escaped."""
    missing = _MISSING.fullmatch(detail)
    if missing is None:
        return f"I cannot use MEXC's answer: {quoted(detail)}. I do not trade on guesses."
    name = missing[1]
    if name in _FIELDS:
        return f"{_FIELDS[name].format(pair=pair)} ({name} is missing.) I do not trade on guesses."
    return f"MEXC's answer lacks {quoted(name)}. I do not trade on guesses."


def _filled_in(happened: str, *, base: str, detail: str) -> str:
    """*detail* of a bad fill is the fraction by which it was worse."""
    return happened.format(
        base=base,
        worse=_bad_fill(detail),
        refused=host_refused(detail),
        unusable=unusable_answer(detail, pair=f"{base}/USDT"),
    )


def _bad_fill(detail: str) -> str:
    try:
        worse = about_percent(decimal_from_text(detail))
    except ValueError:
        return "My last order was filled far worse than the price I had seen. You allow less."
    return f"My last order was filled {worse} worse than the price I had seen. You allow less."


def add_address(detail: str) -> str:
    """What to do about MEXC's refusal: `IP [203.0.113.7] not in the ip white list`."""
    address = _address(detail)
    if address is None:
        return "Add this bot's address to the key at MEXC."
    return f"Add the address {address} to the key at MEXC."


def _address(detail: str) -> str | None:
    for candidate in _ADDRESS.findall(detail):
        try:
            return str(ip_address(candidate))
        except ValueError:
            continue
    return None
