"""Each kind of incident: what happened, what it means for the money, what comes next."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from bot.interaction.message import Message
from bot.views.components.amounts import about_percent
from bot.views.components.badges import RECOVERED, TROUBLE, alert_badge
from bot.views.components.keyboards import do, keyboard
from bot.views.components.layout import escape, lines, quoted
from bot.views.components.no_trade_reasons import reason_advice, reason_text
from bot.views.components.times import roughly, utc
from engine.domain.accounts.incidents import Incident, IncidentKind
from engine.domain.alerts.alerts import IncidentAlert, IncidentResolved
from engine.domain.market.decimals import decimal_from_text
from engine.domain.market.pairs import Symbol, base_of

_NO_ORDER = "No order was sent."
_NOTHING_TRADED = "Nothing was traded."
_AGAIN = "I try again by myself; you need not do anything."
_PAUSED = "Trading is paused for this chat."
MOVE_HOST = "Move it to another region, or set MEXC_PROXY. The key is not the problem."
_MISSING = re.compile(r"(\w{1,40}) is missing")
# What the user misses if MEXC's answer has no such field.
_FIELDS: Mapping[str, str] = {
    "takerCommission": "MEXC did not tell the fee of {pair}",
    "quoteAmountPrecision": "MEXC did not tell the smallest order of {pair}",
    "maxQuoteAmount": "MEXC did not tell the largest order of {pair}",
    "baseAssetPrecision": "MEXC did not tell the precision of {pair}",
    "quotePrecision": "MEXC did not tell the precision of {pair}",
    "baseSizePrecision": "MEXC did not tell the smallest quantity of {pair}",
    "isSpotTradingAllowed": "MEXC did not tell whether API keys may trade {pair}",
    "orderTypes": "MEXC did not tell which orders {pair} takes",
    "balances": "MEXC did not tell the balances of your account",
    "bids": "MEXC did not tell who buys {pair}",
    "asks": "MEXC did not tell who sells {pair}",
    "price": "MEXC did not tell the price of {pair}",
}
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{3,45}")


@dataclass(frozen=True, slots=True)
class _Words:
    """*cite*: the detail is MEXC's own answer and is quoted. *over*: the title at its end."""

    title: str
    happened: str
    money: str
    advice: str
    over: str
    cite: bool = False


_WORDS: Mapping[IncidentKind, _Words] = {
    IncidentKind.UNREACHABLE: _Words(
        "MEXC does not answer",
        "I could not reach MEXC.",
        _NO_ORDER,
        _AGAIN,
        "MEXC answers again",
    ),
    IncidentKind.RATE_LIMITED: _Words(
        "MEXC asks me to slow down",
        "MEXC got too many requests from here.",
        _NO_ORDER,
        "I wait as long as MEXC asks, then go on. A longer /setinterval helps.",
        "MEXC takes requests again",
        cite=True,
    ),
    IncidentKind.HOST_REFUSED: _Words(
        "MEXC is closed to this server",
        "{refused}",
        _NO_ORDER,
        f"I ask again every few minutes. {MOVE_HOST}",
        "MEXC answers this server again",
    ),
    IncidentKind.BAD_DATA: _Words(
        "MEXC's answer makes no sense",
        "{unusable}",
        _NO_ORDER,
        _AGAIN,
        "MEXC's answers make sense again",
    ),
    IncidentKind.STALE_BALANCE: _Words(
        "MEXC's balance is old",
        "The balance does not show your last trade yet, and trading on it would trade twice.",
        _NO_ORDER,
        _AGAIN,
        "MEXC's balance is up to date",
    ),
    IncidentKind.CLOCK: _Words(
        "The clocks disagree",
        "MEXC's clock and mine do not fit, so my signatures would not be valid.",
        _NOTHING_TRADED,
        "I measure MEXC's clock again and go on; you need not do anything.",
        "The clocks agree again",
    ),
    IncidentKind.KEY_REFUSED: _Words(
        "MEXC refuses the key",
        "The key is expired, deleted or wrong.",
        _NO_ORDER,
        "Make a new key at MEXC and send it with /connect: all settings stay. Then send /resume.",
        "MEXC takes the key again",
        cite=True,
    ),
    IncidentKind.ADDRESS_REFUSED: _Words(
        "MEXC refuses the key",
        "The key is bound to other internet addresses than mine.",
        _NO_ORDER,
        "Add {address} to the key at MEXC, then send /resume.",
        "MEXC takes the key again",
        cite=True,
    ),
    IncidentKind.MISSING_PERMISSION: _Words(
        "The key may not do this",
        "The key lacks a permission that trading needs.",
        _NOTHING_TRADED,
        "Allow it to read the spot account and to trade at MEXC, then send /resume.",
        "The key may trade again",
        cite=True,
    ),
    IncidentKind.ACCOUNT_RESTRICTED: _Words(
        "MEXC restricts your account",
        "MEXC does not let this account trade.",
        _NO_ORDER,
        "Ask MEXC's support what is missing, then send /resume.",
        "Your account may trade again",
        cite=True,
    ),
    IncidentKind.KEY_UNREADABLE: _Words(
        "I cannot read your stored key",
        "It was encrypted with a key that this program no longer has.",
        _NO_ORDER,
        "Send your MEXC key again with /connect, then send /resume.",
        "The stored key can be read again",
    ),
    IncidentKind.PAIR_UNAVAILABLE: _Words(
        "{base}/USDT is closed to this key",
        "MEXC does not show the pair, or does not let this key trade it.",
        _NOTHING_TRADED,
        "I keep trying. Check the key's trading pairs at MEXC, or choose another with /setpair.",
        "The pair can be traded again",
        cite=True,
    ),
    IncidentKind.ORDER_REFUSED: _Words(
        "MEXC refused an order",
        "The order was sent once and refused.",
        _NOTHING_TRADED,
        "The next check reads your balance afresh and decides again. /why tells more.",
        "Orders are accepted again",
        cite=True,
    ),
    IncidentKind.NOT_FILLED: _Words(
        "An order found nobody",
        "Nobody trades {base} within 5% of its last price, so MEXC ended the order unfilled.",
        "No money moved.",
        "The next check decides again; you need not do anything.",
        "Orders are filled again",
    ),
    IncidentKind.BLOCKED: _Words(
        "Wanted to trade, could not",
        "The balance is outside its band, but an order is not possible.",
        _NO_ORDER,
        "Each check tries again. /why tells more.",
        "Nothing is in the way any more",
    ),
    IncidentKind.BAD_FILL: _Words(
        "The fill was far off the price",
        "My last order was filled {worse} worse than the price I had seen, and your limit is "
        "narrower than that.",
        "The trade stands. No order follows it until you say so.",
        "Please look at the market. /resume goes on, /limits price sets how much may be lost.",
        "Fills are near the price again",
    ),
    IncidentKind.INTERNAL: _Words(
        "Something broke on my side",
        "A check failed because of a mistake in me. It is logged.",
        "No new order was sent by it; one sent earlier is looked up, never repeated.",
        "I try again by myself. If it goes on, send /pause and tell my owner.",
        "I work again",
    ),
}


def trouble_view(alert: IncidentAlert) -> Message:
    words = _WORDS[alert.kind]
    base = escape(base_of(alert.symbol))
    happened = _filled_in(words.happened, base=base, detail=alert.detail)
    advice = words.advice
    if alert.reason is not None:
        happened = reason_text(alert.reason, symbol=alert.symbol)
        advice = lines(
            reason_advice(alert.reason, symbol=alert.symbol), "I look again at each check."
        )
    return Message.of(
        f"{alert_badge(alert, sign=TROUBLE)} · {words.title.format(base=base)}",
        happened,
        f"MEXC answered {quoted(alert.detail)}." if words.cite and alert.detail else None,
        words.money,
        f"So far {alert.count} times in {roughly(alert.at - alert.since)}."
        if alert.count > 1
        else None,
        _PAUSED if alert.paused else None,
        advice.replace("{address}", address_in(alert.detail)),
        keyboard=keyboard([do("Resume", "resume")]) if "/resume" in advice else None,
    )


def trouble_over_view(alert: IncidentResolved) -> Message:
    checks = f"{alert.count} times" if alert.count > 1 else "once"
    return Message.of(
        f"{alert_badge(alert, sign=RECOVERED)} · {_WORDS[alert.kind].over}",
        f"It went wrong {checks} in {roughly(alert.at - alert.since)}.",
        "It is over; checks go on as before. /status shows where you stand.",
    )


def trouble_note(trouble: Incident, *, symbol: Symbol) -> str:
    """An open incident in one line, for the status."""
    title = trouble_title(trouble, symbol=symbol)
    times = trouble.times(trouble.kind)
    if times.count == 1:
        return f"⚠️ {title}. /why tells more."
    return f"⚠️ {title}: again and again since {utc(times.since)}. /why tells more."


def trouble_title(trouble: Incident, *, symbol: Symbol) -> str:
    return _WORDS[trouble.kind].title.format(base=escape(base_of(symbol)))


def what_went_wrong(kind: IncidentKind, *, detail: str, base: str) -> str:
    """What happened and what it means for the money; *base* is already escaped."""
    words = _WORDS[kind]
    return lines(
        _filled_in(words.happened, base=base, detail=detail),
        f"MEXC answered {quoted(detail)}." if words.cite and detail else None,
        words.money,
    )


def host_refused(status: str) -> str:
    """*status* is as in "HTTP 403"."""
    return (
        f"Something in front of MEXC refuses this server ({escape(status)}). "
        "Mostly that is the country or the address it runs in."
    )


def unusable_answer(detail: str, *, pair: str = "the pair") -> str:
    """Why an answer of MEXC's was not used. *pair* is already escaped."""
    missing = _MISSING.fullmatch(detail)
    if missing is None:
        return f"I cannot use MEXC's answer: {quoted(detail)}. I do not trade on guesses."
    name = missing[1]
    if name in _FIELDS:
        return f"{_FIELDS[name].format(pair=pair)} ({name} is missing). I do not trade on guesses."
    return f"MEXC's answer lacks {quoted(name)}. I do not trade on guesses."


def _filled_in(happened: str, *, base: str, detail: str) -> str:
    """*detail* of a bad fill is the fraction by which it was worse."""
    return happened.format(
        base=base,
        worse=_percent_in(detail),
        refused=host_refused(detail),
        unusable=unusable_answer(detail, pair=f"{base}/USDT"),
    )


def _percent_in(detail: str) -> str:
    try:
        return about_percent(decimal_from_text(detail))
    except ValueError:
        return "far"


def address_in(detail: str) -> str:
    """Return the address in MEXC's refusal: `IP [203.0.113.7] not in the ip white list`."""
    for candidate in _ADDRESS.findall(detail):
        try:
            return f"the address {ip_address(candidate)}"
        except ValueError:
            continue
    return "this bot's address"
