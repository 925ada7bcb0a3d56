"""The status message of `/status`: what is held, the band, the last trade and the last check.
It stays in the chat and is edited when something happened and every 15 min, so it shows moments,
not ages.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.interaction.callback_data import Pin, Refresh
from bot.interaction.message import Message
from bot.views.alerts.incidents import trouble_note
from bot.views.alerts.key_expiry import life
from bot.views.alerts.undeliverable import undeliverable_note
from bot.views.components.amounts import (
    quantity,
    usdt,
)
from bot.views.components.badges import badge
from bot.views.components.execution_words import how_sent
from bot.views.components.forecast import HALTED_FOR_ALL
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.layout import block, escape, lines, row
from bot.views.components.money_rows import quote_rows, token_rows, week_rows
from bot.views.components.next_check import next_rows
from bot.views.components.order_text import order_sentence, waits_line
from bot.views.components.target_words import traded_name
from bot.views.components.times import (
    roughly,
    stamp,
    time_or_day,
    time_or_stamp,
    utc,
    zone_name,
)
from bot.views.pacing import pace_note
from bot.views.slices import slices_note, stop_button
from bot.views.trading_mode import mode_note
from bot.views.unresolved_order import report_rows
from engine.accounts.overview import NO_WEEK, Week
from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import Incident
from engine.domain.accounts.timed_pause import TimedPause
from engine.domain.accounts.undeliverable import NOTHING, Refused
from engine.domain.execution.capability import UNKNOWN, Capability
from engine.domain.execution.maker_first import rests
from engine.domain.execution.slices import SlicesRun
from engine.domain.market.pairs import PairRules, Side, base_of
from engine.domain.orders.order import Order, OrderState
from engine.domain.portfolio.plan import WithinSpread
from engine.domain.rebalancing.check_result import (
    AwaitingApproval,
    AwaitingSettlement,
    CheckFailed,
    CheckResult,
    Decision,
    NoTrade,
    OrderPending,
    OrderPlaced,
    PriceSeen,
)
from engine.domain.rebalancing.planner import InsideBand
from engine.domain.rebalancing.slices.run import SlicesProgress
from engine.domain.targets.pacing import SecondLook

RENEWED_EVERY = timedelta(minutes=15)
"""How old the card of a trading account becomes while nothing happens."""
_KEY_SHOWN_FROM = timedelta(days=30)
_RESULTS: Mapping[type[Decision], str] = {
    OrderPlaced: "order sent",
    OrderPending: "order open",
    AwaitingApproval: "up to you",
    AwaitingSettlement: "waiting",
    CheckFailed: "failed",
}


def status_view(
    *,
    account: Account,
    now: datetime,
    look: CheckResult | None = None,
    price: PriceSeen | None = None,
    week: Week = NO_WEEK,
    checked: CheckResult | None = None,
    next_check_at: datetime | None = None,
    live_every: timedelta | None = None,
    rules: PairRules | None = None,
    last_trade: Order | None = None,
    unresolved: Order | None = None,
    trouble: Incident | None = None,
    pause: TimedPause | None = None,
    ioc: Capability = UNKNOWN,
    slices: SlicesProgress | None = None,
    undelivered: int = 0,
    refused: Refused = NOTHING,
    pinned: bool = False,
    for_viewer: bool = False,
    is_shared: bool = False,
    renewed: bool = True,
    dated: bool = True,
) -> Message:
    """*look* is the newest that read the balances, *price* the pair's that was seen last, *week* what 7 days brought; *checked*
    is the last check, where this process made it. *live_every* is how often the account is checked
    although its stream is live; None where it is not. *pause* is the end of a pause that has one. *ioc* is what is known of orders with a bound, *slices* a trade over time that runs. *undelivered* counts alerts that Telegram has not accepted
    yet, *refused* says where it accepts none. *for_viewer* leaves out the buttons that would
    refuse, *is_shared* those of another chat's account. *renewed*: it is edited every 15 min at least. What is not *dated* leaves out what changes while nothing happens: prices and times.
    """
    halted = unresolved is not None and unresolved.state is OrderState.NEEDS_HUMAN
    rows = [
        f"{badge(account, halted=halted)} · {traded_name(account.settings)}",
        *quote_rows(account, look, last_trade),
        *token_rows(
            account,
            look,
            last_trade,
            rules=rules,
            price=price,
            day_ago=week.day_ago,
            now=now if dated else None,
        ),
        *(week_rows(week) if dated else ()),
        *row("Orders", how_sent(account.settings, ioc=ioc, now=now)),
        *(() if is_shared else _key(account, now=now)),
        *_last(account, last_trade, now=now if dated else None),
        *(_seen(look, checked) if dated else ()),
        *(_slices(slices, now=now) if slices else ()),
        *(
            next_rows(
                account,
                unresolved,
                trouble,
                due=next_check_at,
                live_every=live_every,
                now=now if dated else None,
            )
            if slices is None
            else ()
        ),
    ]
    return Message.paragraphs(
        block(rows),
        HALTED_FOR_ALL if account.halted else None,
        _pause_note(account, pause, now=now),
        _key_note(account, for_viewer=for_viewer or is_shared),
        _unresolved_note(unresolved, for_viewer=for_viewer or is_shared),
        None
        if slices is None
        else slices_note(account, slices, may_stop=not (for_viewer or is_shared)),
        _deposit_note(account, now=now, for_viewer=for_viewer or is_shared),
        mode_note(account),
        pace_note(account, last_trade, now=now) if dated else None,
        trouble_note(trouble, symbol=account.settings.symbol) if trouble else None,
        undeliverable_note(refused, waiting=undelivered),
        _footer(
            is_renewed=renewed and checked is not None,
            has_times=any((look, last_trade, pause)),
            for_viewer=for_viewer,
        )
        if dated
        else None,
        keyboard=_viewer_buttons()
        if for_viewer
        else _shared_buttons(account, pinned=pinned)
        if is_shared
        else _buttons(
            account, unclear=unresolved if halted else None, pinned=pinned, slices=slices
        ),
    )


def retired_card_view() -> Message:
    """What is left of a status message when the chat has a newer one."""
    return Message("A newer card is below. /status sends another one.")


def newer_card_notice() -> str:
    return "A newer card is below; this one is not kept up to date any more."


def up_to_date_notice() -> str:
    return "Up to date"


def not_read_notice(*, seen_at: datetime | None) -> str:
    """The balances could not be read just now."""
    known = f"The card shows what I saw {utc(seen_at)}." if seen_at else "I saw nothing yet."
    return f"MEXC does not answer. {known} I keep trying; the card changes when I see more."


def pinned_notice(*, pinned: bool) -> str:
    return "Pinned: the card stays on top." if pinned else "Unpinned. The card stays in the chat."


def may_not_pin_notice() -> str:
    return (
        "Telegram does not let me pin here. In a group, make me an admin who may pin messages, "
        "then tap again."
    )


def telegram_away_notice() -> str:
    return "Telegram did not take that. Nothing changed; please tap again."


def _last(account: Account, trade: Order | None, *, now: datetime | None) -> Iterable[str]:
    if trade is None:
        return
    at = trade.resolved_at or trade.created_at
    when = stamp(at).strip() if now is None else time_or_day(at, now=now)
    what = quantity(trade.execution.base_quantity)
    if trade.symbol != account.settings.symbol:
        what = f"{what} {base_of(trade.symbol)}"
    is_buy = trade.side is Side.BUY
    yield from row("Last", f"bought {what}  {when}" if is_buy else f"sold {what}  {when}")
    if trade.dry_run != account.settings.dry_run:
        yield from row("", "(paper)" if trade.dry_run else "(real money)")


def _seen(look: CheckResult | None, checked: CheckResult | None) -> Iterable[str]:
    """When the last check was and what came of it, and of when older balances are."""
    if checked is not None:
        yield from row("Checked", f"{stamp(checked.at).strip()} {_result(checked.verdict)}")
    if look is not None and (checked is None or look.at < checked.at):
        yield from row("Seen", stamp(look.at).strip())


def _result(verdict: Decision) -> str:
    if isinstance(verdict, NoTrade) and isinstance(verdict.reason, SlicesRun):
        return "slices run"
    if isinstance(verdict, NoTrade) and isinstance(verdict.reason, InsideBand):
        return "✓ in band"
    if isinstance(verdict, NoTrade) and isinstance(verdict.reason, WithinSpread):
        return "✓ too close to say"
    if isinstance(verdict, NoTrade) and isinstance(verdict.reason, SecondLook):
        return "seen once"
    return _RESULTS.get(type(verdict), "no order")


def _key(account: Account, *, now: datetime) -> Iterable[str]:
    """A key that expires within a month is marked."""
    if account.key_tail is None or account.key_expires_at is None:
        return ()
    if account.key_expires_at - now > _KEY_SHOWN_FROM:
        return ()
    return row("Key", f"…{account.key_tail}, {life(account.key_expires_at, now=now)}")


def _key_note(account: Account, *, for_viewer: bool) -> str | None:
    if account.can_trade:
        return None
    if for_viewer:
        return "No MEXC key yet."
    return "No MEXC key yet. Send /connect to add one, or try it on paper with /dryrun on."


def _pause_note(account: Account, pause: TimedPause | None, *, now: datetime) -> str | None:
    """Until its end. After that a message says what comes of it."""
    if pause is None or pause.ends_at <= now or not account.settings.paused or account.halted:
        return None
    until = f"Paused until {time_or_stamp(pause.ends_at, now=now)}."
    if pause.version != account.version:
        return f"{until} Then I ask you, because something was changed."
    return lines(
        f"{until} Then trading starts again.", "If the first order is big, I ask you first."
    )


def _deposit_note(account: Account, *, now: datetime, for_viewer: bool) -> str | None:
    """Why what is above the band is not traded yet."""
    waiting = account.waits(now)
    if waiting is None:
        return None
    amount = usdt(waiting.amount)
    if not account.settings.asks_about_deposits:
        return f"{amount} of a deposit waits until {time_or_stamp(waiting.until, now=now)}."
    if for_viewer:
        return f"{amount} of a deposit waits for the owner's answer."
    return f"{amount} of a deposit waits for your answer: /deposits"


def _unresolved_note(order: Order | None, *, for_viewer: bool) -> str | None:
    if order is None:
        return None
    if rests(order):
        return f"⏳ {waits_line(order)}"
    return lines(
        order_sentence(
            order.side,
            order.symbol,
            order.expected_quote,
            buy="⏳ An order to buy {base} for about {amount} is not confirmed.",
            sell="⏳ An order to sell {base} for about {amount} is not confirmed.",
        ),
        f"I sent it {utc(order.created_at)}. I look it up and send nothing else meanwhile.",
        f"Please look for it at MEXC (its id is {escape(order.client_order_id)}) and tap what you "
        "saw."
        if order.state is OrderState.NEEDS_HUMAN and not for_viewer
        else None,
    )


def _footer(*, is_renewed: bool, has_times: bool, for_viewer: bool) -> str | None:
    """A card that is older than it says is one of a bot that does not run."""
    own_zone = "Times in UTC." if for_viewer else "Times in UTC. Set yours: /alerts"
    text = lines(
        f"I renew this card every {roughly(RENEWED_EVERY)}. Is it older? Tap Refresh."
        if is_renewed
        else None,
        own_zone if has_times and zone_name() == "UTC" else None,
    )
    return f"<i>{text}</i>" if text else None


def _viewer_buttons() -> InlineKeyboardMarkup:
    return keyboard([button("Refresh", Refresh()), do("Why", "why"), do("History", "history")])


def _shared_buttons(account: Account, *, pinned: bool) -> InlineKeyboardMarkup:
    return keyboard(
        [do("Rebalance…", "rebalance"), _pause_or_resume(account)],
        [do("Target", "settarget"), do("Threshold", "setthreshold"), do("History", "history")],
        [button("Refresh", Refresh()), do("Why", "why"), _pin(pinned=pinned)],
    )


def _target(account: Account) -> InlineKeyboardButton:
    return do("Target", "target" if account.settings.fixed is None else "settarget")


def _pause_or_resume(account: Account) -> InlineKeyboardButton:
    return do("Resume", "resume") if account.settings.paused else do("Pause", "pause")


def _pin(*, pinned: bool) -> InlineKeyboardButton:
    return button("Unpin" if pinned else "Pin", Pin(on=not pinned))


def _slices(progress: SlicesProgress, *, now: datetime) -> Iterable[str]:
    run, due = progress.run, progress.run.next_at(now)
    text = f"{run.last} of {run.count} over"
    return row("Slices", text if due is None else f"{text}, next {time_or_day(due, now=now)}")


def _buttons(
    account: Account, *, unclear: Order | None, pinned: bool, slices: SlicesProgress | None
) -> InlineKeyboardMarkup:
    first = do("Rebalance…", "rebalance") if account.can_trade else do("Connect", "connect")
    return keyboard(
        *(report_rows(unclear.client_order_id) if unclear else ()),
        [stop_button(slices)] if slices else [],
        [first, _pause_or_resume(account)],
        [_target(account), do("Threshold", "setthreshold"), do("History", "history")],
        [
            button("Refresh", Refresh()),
            do("Why", "why"),
            do("Settings", "settings"),
            _pin(pinned=pinned),
        ],
    )
