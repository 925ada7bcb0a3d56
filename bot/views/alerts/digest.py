"""The daily digest; a day without events is one line."""

from datetime import timedelta
from decimal import Decimal

from bot.interaction.message import Message
from bot.views.components.amounts import cents, count, signed, usdt
from bot.views.components.badges import alert_badge
from bot.views.components.keyboards import do, keyboard
from bot.views.components.layout import block, lines, row
from bot.views.components.order_text import fees_paid
from bot.views.components.times import roughly, utc
from engine.domain.alerts.alerts import Digest

_KEY_IS_NEAR = timedelta(days=14)


def digest_view(digest: Digest) -> Message:
    title = f"{alert_badge(digest)} · Digest of {_span(digest.at - digest.since)}"
    if _is_quiet(digest):
        nothing = f"{title}: nothing happened."
        if digest.held is None:
            return Message(nothing)
        held = f"You hold {usdt(digest.held)}."
        if digest.worth is not None:
            held = f"You hold {usdt(digest.worth)} in all."
        if digest.made is None:
            return Message(f"{nothing} {held}")
        return Message(f"{nothing} {held} Made: {_made(digest, digest.made)} (/profit)")
    return Message.of(
        title,
        block(_rows(digest)),
        _small(digest),
        _troubles(digest),
        _key(digest),
        "Each trade: /history. Made: /profit. When this comes: /alerts. Now: /status",
        keyboard=keyboard(
            [do("/history", "history"), do("/status", "status"), do("/alerts", "alerts")]
        ),
    )


def _is_quiet(digest: Digest) -> bool:
    return not (digest.trades or digest.troubles or digest.trouble or _moved(digest)) and not (
        _key(digest)
    )


def _moved(digest: Digest) -> bool:
    known = digest.held is not None and digest.held_before is not None
    return known and digest.held != digest.held_before


def _rows(digest: Digest) -> list[str]:
    traded = [
        *row("Bought", usdt(digest.bought)),
        *row("Sold", usdt(digest.sold)),
        *row("Turnover", usdt(digest.bought + digest.sold)),
        *row("Fees", fees_paid(digest.fees, complete=digest.fees_complete) or "none known"),
    ]
    return [
        *row("Trades", str(digest.trades) if digest.trades else "none"),
        *(traded if digest.trades else ()),
        *row("Holds" if digest.worth is None else "USDT", _held(digest)),
        *(() if digest.target is None else row("Target", usdt(digest.target))),
        *(() if digest.worth is None else row("In all", usdt(digest.worth))),
        *(row("Made", _made(digest, digest.made)) if digest.made is not None else ()),
        *(row("Trading", f"{signed(digest.brought)} USDT") if digest.brought else ()),
        *(row("Key", f"ends in {roughly(left)}") if (left := _key_left(digest)) else ()),
    ]


def _made(digest: Digest, made: Decimal) -> str:
    return f"{'about ' if digest.about else ''}{signed(made)} USDT"


def _key_left(digest: Digest) -> timedelta | None:
    """Return None if the expiry is not known, or the key has expired."""
    ends = digest.key_expires_at
    return ends - digest.at if ends is not None and ends > digest.at else None


def _held(digest: Digest) -> str:
    if digest.held is None:
        return "not known"
    if digest.held_before is None:
        return usdt(digest.held)
    return f"{cents(digest.held_before)} → {usdt(digest.held)}"


def _small(digest: Digest) -> str | None:
    if not digest.small:
        return None
    return count(
        digest.small,
        "{n} trade was under {least} and made no message.",
        "{n} trades were under {least} and made no message.",
        least=usdt(digest.smallest),
    )


def _troubles(digest: Digest) -> str | None:
    told = None
    if digest.troubles:
        told = count(digest.troubles, "⚠️ {n} warning was sent.", "⚠️ {n} warnings were sent.")
    ongoing = "⚠️ One problem is not over yet. More: /why" if digest.trouble else None
    return lines(told, ongoing) or None


def _key(digest: Digest) -> str | None:
    """Only when it is near: a distant date is no news."""
    ends = digest.key_expires_at
    if ends is None or ends - digest.at > _KEY_IS_NEAR:
        return None
    if ends <= digest.at:
        return "⚠️ The MEXC key has expired. Make a new one and send /connect."
    left = roughly(ends - digest.at)
    return f"🔑 The MEXC key ends in {left}, on {utc(ends)}. New key: /connect"


def _span(duration: timedelta) -> str:
    return roughly(duration + timedelta(minutes=1)) if duration else "today"
