"""Confirmations before a change that moves much money: what would happen, and one button."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from bot.interaction.callback_data import Confirm, Open, PanelPage
from bot.interaction.message import Message
from bot.views.components.amounts import pair_name, usdt
from bot.views.components.badges import badge
from bot.views.components.command_text import commands, named
from bot.views.components.forecast import foreseen_note, out_of_reach
from bot.views.components.keyboards import button, keyboard
from bot.views.components.layout import escape, fitted, lines, listed, paragraphs
from bot.views.components.no_trade_reasons import reason_text
from bot.views.components.portfolio_words import first_trades
from bot.views.components.target_words import target_line
from bot.views.rebalance_plan import PLAN_VALID_FOR, order_text
from bot.views.undo import back_to_panel
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings_change import SettingsPatch
from engine.domain.portfolio.plan import NoPlan
from engine.domain.rebalancing.pending_change import PendingChange
from engine.domain.rebalancing.planner import OverLimit
from engine.domain.rebalancing.trade_size import worth_of
from engine.domain.targets.target import FixedUsdt, Target
from engine.rebalancing.portfolio_planning import Planned
from engine.rebalancing.preview import Foreseen

_UNSEEN = "MEXC does not answer now. I do not know what this would trade."
_SECONDS = PLAN_VALID_FOR // timedelta(seconds=1)


# Above an order, and in its place.
_NEXT = ("The next check would trade:", "The next check would trade nothing.")
_RESUMED = (
    "After /resume the first check would trade:",
    "After /resume the first check would trade nothing.",
)
_UNHALTED = (
    "When the halt is lifted, the next check would trade:",
    "When the halt is lifted, the next check would trade nothing.",
)


def ask_target_view(
    *,
    account: Account,
    target: Decimal,
    foreseen: Foreseen | None,
    confirmation_id: str,
    in_panel: bool,
) -> Message:
    """*account* before the change; *foreseen* with the new target, None if it is not known."""
    kept = escape(target_line(account.settings.target))
    text = paragraphs(
        f"{badge(account)} · Set the target to {usdt(target)}?",
        _first_order(account, foreseen, target=FixedUsdt(target), when=_when(account)),
        f"No tap within {_SECONDS} s: the target stays {kept}. Another one: /settarget",
    )
    buttons = keyboard(
        [button(f"Set {usdt(target)}", Confirm(confirmation_id))],
        [button("⬅️ Back", Open(PanelPage.TARGET))] if in_panel else [],
    )
    return Message(fitted(text, foreseen_note(foreseen)), buttons)


def ask_change_view(
    *,
    account: Account,
    wanted: SettingsPatch,
    foreseen: Foreseen | Planned | NoPlan | None,
    confirmation_id: str,
) -> Message:
    """*account* before the change; *foreseen* is after it, None if it is not known."""
    settings, when = account.settings, _when(account)
    rows = [f"{name}: {value}?" for name, value in named(wanted)]
    text = paragraphs(
        lines(f"{badge(account)} · Change this?", *rows),
        _first_order(account, foreseen, target=settings.target, when=when)
        if foreseen is None or isinstance(foreseen, Foreseen)
        else first_trades(foreseen, when=when, symbol=settings.symbol),
        f"No tap within {_SECONDS} s: nothing changes. ({listed(commands(wanted)[-1:])})",
    )
    buttons = keyboard([button("Change it", Confirm(confirmation_id))])
    note = foreseen_note(foreseen) if isinstance(foreseen, Foreseen) else None
    return Message(fitted(text, note, *reversed(rows[1:])), buttons)


def ask_live_view(
    *, account: Account, foreseen: Foreseen | None, confirmation_id: str, in_panel: bool
) -> Message:
    """*account* trades on paper; *foreseen* is for real money."""
    seen = foreseen.seen if foreseen else None
    first = _first_order(
        account, foreseen, target=account.settings.target, when=_RESUMED, with_worth=False
    )
    asked = _ask_live(account, first, confirmation_id=confirmation_id, in_panel=in_panel)
    least = (foreseen_note(foreseen), out_of_reach(account.settings, seen))
    return replace(asked, text=fitted(asked.text, *least))


def ask_live_plan_view(
    *,
    account: Account,
    planned: Planned | NoPlan | None,
    confirmation_id: str,
    in_panel: bool,
) -> Message:
    """The same, where the first check trades several tokens."""
    first = first_trades(planned, when=_RESUMED, symbol=account.settings.symbol)
    return _ask_live(account, first, confirmation_id=confirmation_id, in_panel=in_panel)


def _ask_live(account: Account, first: str, *, confirmation_id: str, in_panel: bool) -> Message:
    return Message.paragraphs(
        lines(
            f"{badge(account)} · Trade with real money?",
            f"Key …{escape(account.key_tail or '')}, {_pair(account)}.",
        ),
        first,
        lines(
            "I pause first: nothing is traded before your /resume.",
            f"No tap within {_SECONDS} s: you stay on paper. (/dryrun off)",
        ),
        keyboard=keyboard(
            [button("Trade for real", Confirm(confirmation_id))],
            [button("⬅️ Back", Open(PanelPage.DRY_RUN))] if in_panel else [],
        ),
    )


def overtaken_view(*, account: Account, proposal: PendingChange) -> Message:
    """A confirmation of something that has changed since."""
    other = [
        f"{name}: {value}"
        for (name, value), before in zip(
            named(proposal.found.now(account)), named(proposal.found), strict=True
        )
        if (name, value) != before
    ]
    if other:
        why = lines("This was changed after I asked:", *other)
    elif account.halted:
        why = "My owner halted all chats after I asked."
    else:
        why = "Something about this account was changed after I asked."
    text = lines(
        f"{badge(account)} · Nothing changed",
        why,
        f"If you still want it: {listed(commands(proposal.wanted))}",
    )
    return Message(fitted(text, *reversed(other)), back_to_panel(proposal))


def _first_order(
    account: Account,
    foreseen: Foreseen | None,
    *,
    target: Target,
    when: tuple[str, str],
    with_worth: bool = True,
) -> str:
    if foreseen is None:
        return _UNSEEN
    plan, symbol = foreseen.plan, account.settings.symbol
    unreachable = out_of_reach(replace(account.settings, target=target), foreseen.seen)
    worth = (
        f"You hold {usdt(plan.held)}. Your USDT and tokens are worth about "
        f"{usdt(worth_of(foreseen.seen))}."
    )
    would, nothing = when
    reason = foreseen.reason or plan.reason
    if plan.order is None or foreseen.forecast is None or reason is not None:
        return lines(
            worth if with_worth else None,
            nothing,
            reason_text(reason, symbol=symbol, held=plan.held, band=foreseen.look.band)
            if reason
            else None,
            "To change the limit: /limits" if isinstance(reason, OverLimit) else None,
            unreachable,
        )
    order = order_text(plan.order, foreseen.forecast, held=plan.held, rules=foreseen.rules)
    return lines(worth if with_worth else None, would, order, unreachable)


def _when(account: Account) -> tuple[str, str]:
    if account.halted:
        return _UNHALTED
    return _RESUMED if account.settings.paused else _NEXT


def _pair(account: Account) -> str:
    settings = account.settings
    return f"{escape(pair_name(settings.symbol))}, target {escape(target_line(settings.target))}"
