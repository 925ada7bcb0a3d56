"""`/destination` and `/protect`: where trades lead, and what is never counted and never sold."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from telegram import InlineKeyboardMarkup

from bot.interaction.message import Message
from bot.views.components.amounts import asset_amount, cents, count
from bot.views.components.badges import badge
from bot.views.components.forecast import next_check
from bot.views.components.keyboards import keyboard, typed
from bot.views.components.layout import escape, lines, listed
from bot.views.components.listening import listening_line
from bot.views.components.target_words import DESTINATIONS, destination_name
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import Settings
from engine.domain.market.balances import Counting, Holdings
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset, PairRules
from engine.domain.rebalancing.planner import goal_of, smallest_order
from engine.domain.targets.destination import Destination, usual_destination
from engine.domain.targets.goals import DUST
from engine.domain.targets.protection import managed
from engine.domain.targets.target import UsdtRange
from engine.rebalancing.preview import Outlook

MOST_PROTECTED = 20
_MOST_SHOWN = 4


def destination_view(*, account: Account, rules: PairRules | None) -> Message:
    """The three destinations, the present one, and what that means now."""
    settings = account.settings
    return Message.paragraphs(
        f"{badge(account)} · Destination: {destination_name(settings)}",
        lines(
            "Where a trade leads, once the band was left:",
            *(_line(one, current=settings.leads_to) for one in Destination),
        ),
        lines(*_leads(settings, rules), _usual(settings)),
        keyboard=_destination_buttons(settings),
    )


def destination_changed_view(
    *, account: Account, changed: bool, now: datetime, outlook: Outlook
) -> Message:
    """*account* after the change."""
    settings, name = account.settings, destination_name(account.settings)
    title = f"Destination set to {name}" if changed else f"Destination is {name} already"
    return Message.of(
        f"{badge(account)} · {title}",
        *_leads(settings, outlook.rules),
        next_check(account, outlook, now=now),
        keyboard=_destination_buttons(settings),
    )


def protect_view(
    *, account: Account, holdings: Holdings | None, is_listening: bool = False
) -> Message:
    """What is protected, and what is managed of it now. *holdings* are None where they could not be
    read. *is_listening*: what to protect may be typed alone.
    """
    protected = account.settings.protected
    shown, left = list(protected)[:_MOST_SHOWN], len(protected) - _MOST_SHOWN
    return Message.of(
        f"{badge(account)} · Protected: {_all_protected(protected)}",
        "I never count and never sell what you protect.",
        *(_managed(account.settings, asset, holdings) for asset in shown),
        count(left, "One more is not shown.", "{n} more are not shown.") if left > 0 else None,
        "To protect: /protect MNTL 50000. To end it: /protect MNTL off",
        listening_line("MNTL 50000") if is_listening else None,
        keyboard=_protect_buttons(protected),
    )


def protect_changed_view(
    *,
    account: Account,
    before: Mapping[Asset, Decimal],
    holdings: Holdings | None,
    now: datetime,
    outlook: Outlook,
) -> Message:
    """*account* after the change; *before* is what was protected."""
    protected = account.settings.protected
    changed = [
        asset
        for asset in dict.fromkeys([*protected, *before])
        if protected.get(asset) != before.get(asset)
    ]
    title = f"Protected: {_all_protected(protected)}" if changed else "Nothing changed"
    return Message.of(
        f"{badge(account)} · {title}",
        *(_managed(account.settings, asset, holdings) for asset in changed[:2]),
        None if changed else f"Protected already: {_all_protected(protected)}.",
        next_check(account, outlook, now=now),
        keyboard=_protect_buttons(protected),
    )


def too_many_protected_view(*, account: Account) -> Message:
    return Message.of(
        f"{badge(account)} · Nothing changed",
        f"I protect {MOST_PROTECTED} tokens at most.",
        "End one first: /protect shows them.",
    )


def _line(destination: Destination, *, current: Destination) -> str:
    mark = "▶" if destination is current else "▫"
    return f"{mark} <b>{destination.value}</b> – {DESTINATIONS[destination]}"


def _usual(settings: Settings) -> str:
    return f"Usual for this target: {usual_destination(settings.target).value}."


def _leads(settings: Settings, rules: PairRules | None) -> Sequence[str]:
    """Where trades lead, in USDT where that does not depend on prices."""
    target, way = settings.target, settings.leads_to
    if isinstance(target, UsdtRange) and (target.low is None or target.high is None):
        return ["This target has one edge. A trade leads just inside it."]
    if settings.fixed is None:
        return [DESTINATIONS[way]]
    edges = goal_of(settings).edges
    least = DUST if rules is None else smallest_order(rules)
    above, below = (
        edges.inside(is_above=is_above, way=way.way, least=least, beyond=least)
        for is_above in (True, False)
    )
    return [
        f"Above {cents(edges.high)} I buy until {cents(above)} USDT is left.",
        f"Below {cents(edges.low)} I sell until you hold {cents(below)} USDT.",
    ]


def _destination_buttons(settings: Settings) -> InlineKeyboardMarkup:
    others = [one.value for one in Destination if one is not settings.destination]
    usual = [] if settings.destination is None else ["usual"]
    return keyboard(*([typed("destination", name)] for name in (*others, *usual)))


def _all_protected(protected: Mapping[Asset, Decimal]) -> str:
    named = [escape(asset_amount(units, asset)) for asset, units in protected.items()]
    if len(named) > _MOST_SHOWN:
        return f"{len(named)} tokens"
    return listed(named) or "nothing"


def _managed(settings: Settings, asset: Asset, holdings: Holdings | None) -> str:
    """What is held of it, and how much of that I manage."""
    name, units = escape(asset), settings.protected.get(asset, ZERO)
    if holdings is None:
        return f"{name}: I do not know now how much you hold."
    held = holdings.of(asset).counted(settings.counting)
    is_free = " free" if settings.counting is Counting.FREE else ""
    have = f"You hold {escape(asset_amount(held, asset))}{is_free}"
    if asset not in settings.assets:
        return f"{have}. I do not trade {name}."
    part = managed(holdings.of(asset), counting=settings.counting, protected=units)
    if part.buying:
        return f"{have}. I manage {escape(asset_amount(part.quantity, asset))} of that."
    if asset == USDT:
        return f"{have}, less than you protect: I sell nothing for USDT."
    return f"{have}, less than you protect: I buy no {name}."


def _protect_buttons(protected: Mapping[Asset, Decimal]) -> InlineKeyboardMarkup | None:
    if not protected:
        return None
    return keyboard([typed("protect", "off")])
