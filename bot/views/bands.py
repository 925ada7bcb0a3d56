"""`/bands`: between which parts of the account an asset may be, and what that is in money now."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from telegram import InlineKeyboardMarkup

from bot.interaction.message import Message
from bot.views.components.amounts import cents, precise_percent, threshold
from bot.views.components.badges import badge
from bot.views.components.forecast import next_check
from bot.views.components.keyboards import do, keyboard, typed
from bot.views.components.layout import block, escape, fitted, lines, paragraphs, row
from bot.views.components.listening import listening_line
from bot.views.components.target_words import target_line, widths_line
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import Settings
from engine.domain.market.pairs import Asset
from engine.domain.targets.bands import ShareBand
from engine.domain.targets.destination import Edges
from engine.domain.targets.goals import weights_of
from engine.domain.targets.notation import bands_text
from engine.rebalancing.portfolio_planning import Planned
from engine.rebalancing.preview import Outlook

_COLUMN = 8
_MOST_CHANGED = 3
_TWICE = "I trade what two checks in a row find out of its band."
_HOW = "To set one: /bands BTC 45..60. To end it: /bands BTC off"


def bands_view(
    *, account: Account, now: datetime, outlook: Outlook, is_listening: bool = False
) -> Message:
    """All bands of a basket, in percent and in money. *is_listening*: a band alone may be typed."""
    settings = account.settings
    if settings.targeting.basket is None:
        return no_basket_view(account=account)
    typed = listening_line("BTC 45..60") if is_listening else None
    text = paragraphs(
        f"{badge(account)} · Bands: {escape(bands_text(settings.bands))}",
        block(_rows(settings, _edges(outlook), settings.targeting.share_bands)),
        lines(
            f"An asset without a band of its own may drift by ±{threshold(settings.threshold)}.",
            " ".join(filter(None, (widths_line(account), _TWICE if settings.twice else None)))
            or None,
            next_check(account, outlook, now=now),
        ),
        lines(_HOW, typed),
    )
    return Message(fitted(text, typed), _buttons(settings))


def bands_changed_view(
    *,
    account: Account,
    before: Mapping[Asset, ShareBand],
    now: datetime,
    outlook: Outlook,
) -> Message:
    """*account* after the change; *before* are the bands that assets had."""
    settings, bands = account.settings, account.settings.bands
    changed = [a for a in dict.fromkeys([*bands, *before]) if bands.get(a) != before.get(a)]
    known = {
        asset: band
        for asset, band in settings.targeting.share_bands.items()
        if asset in changed[:_MOST_CHANGED]
    }
    return Message.paragraphs(
        f"{badge(account)} · Bands: {escape(bands_text(bands))}"
        if changed
        else f"{badge(account)} · Nothing changed",
        block(_rows(settings, _edges(outlook), known)) if known else None,
        next_check(account, outlook, now=now),
        keyboard=_buttons(settings),
    )


def twice_changed_view(
    *, account: Account, changed: bool, now: datetime, outlook: Outlook
) -> Message:
    """*account* after the change."""
    is_on = account.settings.twice
    switch = "on" if is_on else "off"
    title = f"Two looks set to {switch}" if changed else f"Two looks are {switch} already"
    return Message.of(
        f"{badge(account)} · {title}",
        _TWICE if is_on else "I trade at each check that finds something out of its band.",
        "That costs one interval, and spares trades on a price of one moment." if is_on else None,
        next_check(account, outlook, now=now),
        "To end that: /bands twice off" if is_on else None,
        keyboard=_buttons(account.settings),
    )


def scale_changed_view(
    *, account: Account, changed: bool, now: datetime, outlook: Outlook
) -> Message:
    """*account* after the change."""
    is_on = account.settings.scaled
    switch = "on" if is_on else "off"
    title = f"Scaled bands set to {switch}" if changed else f"Scaled bands are {switch} already"
    return Message.of(
        f"{badge(account)} · {title}",
        "Once a day I widen or narrow bands as prices move more or less than today."
        if is_on
        else "Bands are as wide as you set them.",
        "A band stays between half and three times its width." if is_on else None,
        next_check(account, outlook, now=now),
        "To end that: /bands scale off" if is_on else None,
        keyboard=_buttons(account.settings),
    )


def no_basket_view(*, account: Account) -> Message:
    """Bands are parts of the account, and the target is none."""
    return Message.of(
        f"{badge(account)} · No bands",
        f"The target is {escape(target_line(account.settings.target))}. That has no parts.",
        "Its band is set by /setthreshold. A range of USDT is a target: /target 35..50",
        "Targets with parts: /target 25%   or   /target BTC 50 ETH 30 USDT 20",
        keyboard=keyboard([do("Target", "target"), do("Threshold", "setthreshold")]),
    )


def _rows(
    settings: Settings, edges: Mapping[Asset, Edges], bands: Mapping[Asset, ShareBand]
) -> Iterable[str]:
    """`BTC     45% – 60%, goal 50%`, and the same in USDT where the account's worth is known."""
    basket = settings.targeting.basket
    weights = {} if basket is None else weights_of(basket)
    for asset, band in bands.items():
        goal = f", goal {precise_percent(weights[asset])}" if asset in weights else ""
        low = precise_percent(band.low).removesuffix("%")
        share = f"{low} – {precise_percent(band.high)}{goal}"
        yield from row(asset, share, column=_COLUMN)
        if (around := edges.get(asset)) is not None:
            yield from row("", f"{cents(around.low)} – {cents(around.high)}", column=_COLUMN)


def _edges(outlook: Outlook) -> Mapping[Asset, Edges]:
    return outlook.planned.snapshot.edges if isinstance(outlook.planned, Planned) else {}


def _buttons(settings: Settings) -> InlineKeyboardMarkup:
    rows: Sequence[Sequence[str]] = [["off"]] if settings.bands else []
    return keyboard(
        *([typed("bands", name) for name in row] for row in rows), [do("/target", "target")]
    )
