"""`/pricealert`: the price alerts of a chat, and the alert of a price that has moved."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.interaction.callback_data import RemovePriceAlert
from bot.interaction.message import Message
from bot.views.components.amounts import about_percent, percent, price
from bot.views.components.badges import alert_badge, badge
from bot.views.components.command_text import button_names
from bot.views.components.keyboards import button, do, in_rows, keyboard, typed
from bot.views.components.layout import block, escape, row
from bot.views.components.listening import listening_line
from bot.views.components.times import exactly, time_or_stamp, utc
from engine.domain.accounts.account import Account
from engine.domain.alerts.alerts import Alert
from engine.domain.alerts.price_alerts import MOST_ALERTS, PriceAlert, PriceMoved
from engine.domain.market.pairs import Asset, base_of

_MOST_OFFERED = 4
_SIGN = "🔔"
_MINUTE = timedelta(minutes=1)


def price_alerts_view(
    *,
    account: Account,
    alerts: Sequence[PriceAlert],
    now: datetime,
    may_set: bool,
    removed: Asset | None = None,
    tokens: Sequence[Asset] = (),
    is_listening: bool = False,
) -> Message:
    """The list; for who *may_set* with a button for each alert that removes it, and one for each of
    *tokens* that has none. *is_listening*: what to set may be typed alone.
    """
    watched = {base_of(alert.symbol) for alert in alerts}
    new = [token for token in button_names(tokens) if token not in watched][:_MOST_OFFERED]
    removing = [
        button(f"Remove {base}", RemovePriceAlert(base)) for base in sorted(watched) if may_set
    ]
    rows = [*in_rows(removing, 2), *in_rows([typed("pricealert", token) for token in new], 2)]
    return Message.of(
        f"{badge(account)} · Price alerts",
        f"I do not watch the price of {escape(removed)} any more." if removed else None,
        block([line for alert in alerts for line in _line(alert, now)]) if alerts else None,
        None if alerts else "No price alerts set.",
        _how(is_first=not alerts) if may_set else None,
        listening_line("MNTL 10%") if is_listening else None,
        keyboard=keyboard(*rows) if rows else None,
    )


def ask_move_view(*, asset: Asset, is_listening: bool) -> Message:
    """The token is chosen, the percentage is not."""
    name = escape(asset)
    return Message.of(
        f"After how large a move of {name} should I tell you? Nothing changed yet.",
        f"/pricealert {name} 10%",
        listening_line("10%") if is_listening else None,
    )


def price_alert_set_view(
    *, account: Account, alert: PriceAlert, changed: bool, now: datetime
) -> Message:
    asset = escape(base_of(alert.symbol))
    return Message.of(
        f"{badge(account)} · {'Price alert set' if changed else 'Nothing changed'}",
        f"I tell you when {asset} moves by {percent(alert.fraction)} within 24 h.",
        "I trade nothing because of it.",
        *_bounds(alert, now),
        "I look at least once a minute.",
        "After an alert, the next one comes 1 h later at the earliest.",
        f"/pricealert {asset} off stops it. /pricealert shows all.",
        keyboard=keyboard(
            [
                button(f"Remove {base_of(alert.symbol)}", RemovePriceAlert(base_of(alert.symbol))),
                do("/pricealert", "pricealert"),
            ]
        ),
    )


def price_alert_removed_view(*, account: Account, asset: Asset, was_there: bool) -> Message:
    name = escape(asset)
    return Message.of(
        f"{badge(account)} · {'Price alert removed' if was_there else 'Nothing changed'}",
        f"I do not watch the price of {name} any more."
        if was_there
        else f"I had no price alert for {name}.",
        "/pricealert shows all price alerts.",
        keyboard=keyboard([do("/pricealert", "pricealert")]),
    )


def too_many_price_alerts_view(*, account: Account) -> Message:
    return Message.of(
        f"{badge(account)} · Nothing changed",
        f"I watch {MOST_ALERTS} prices at most.",
        "Remove one first: /pricealert shows them.",
        keyboard=keyboard([do("/pricealert", "pricealert")]),
    )


def no_such_price_view(*, account: Account, asset: Asset) -> Message:
    name = escape(asset)
    return Message.of(
        f"{badge(account)} · Nothing changed",
        f"MEXC shows me no price of {name} in USDT.",
        "Is the name right? /pricealert shows your price alerts.",
        keyboard=keyboard([do("/pricealert", "pricealert")]),
    )


def price_moved_view(alert: PriceMoved) -> Message:
    asset = escape(alert.asset)
    moved = alert.after / alert.before - 1
    by = about_percent(abs(moved))
    return Message.of(
        f"{alert_badge(alert, sign=_SIGN)} · {asset} rose {by}"
        if moved > 0
        else f"{alert_badge(alert, sign=_SIGN)} · {asset} fell {by}",
        f"{price(alert.before)} → {price(alert.after)} USDT within {_took(alert)}",
        f"I saw the new price at {utc(alert.at)}.",
        "I traded nothing because of it.",
        f"You asked to be told of a move by {percent(alert.fraction)} within 24 h.",
        "The next alert comes 1 h later at the earliest.",
        f"/pricealert {asset} off stops it.",
        keyboard=keyboard([do("/pricealert", "pricealert"), do("/status", "status")]),
    )


def _how(*, is_first: bool) -> str:
    if is_first:
        return "/pricealert MNTL 10% tells you when MNTL moves by 10% within 24 h."
    return "/pricealert MNTL 10% sets or changes one. /pricealert MNTL off stops it."


def _took(alert: PriceMoved) -> str:
    """In whole minutes, rounded up."""
    return exactly(max(-(-(alert.at - alert.since) // _MINUTE), 1) * _MINUTE)


PRICE_VIEWS: Mapping[type[Alert], Callable[[Any], Message]] = {PriceMoved: price_moved_view}


def _line(alert: PriceAlert, now: datetime) -> Sequence[str]:
    told = alert.told_at
    sent = "" if told is None else f", sent {time_or_stamp(told, now=now)}"
    return row(base_of(alert.symbol), f"{percent(alert.fraction)} in 24 h{sent}")


def _bounds(alert: PriceAlert, now: datetime) -> Sequence[str]:
    bounds = alert.bounds(now)
    if bounds is None:
        return ["I cannot read its price now. I begin when I can."]
    low, high = bounds
    last = alert.seen[-1]
    at = f"{price(high)} or more"
    if low > 0:
        at = f"{price(low)} or less, or at {at}"
    return [
        f"It is {price(last.low)} now. I tell you at {at}."
        if last.low == last.high
        else f"I tell you at {at}.",
        "These numbers follow the lowest and the highest price of 24 h.",
    ]
