"""Confirmations before a change that moves much money: what would happen, and one button."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from bot.interaction.callback_data import Confirm, Open, PanelPage
from bot.interaction.message import Message
from bot.views.components.amounts import cents, pair_name, usdt
from bot.views.components.badges import badge
from bot.views.components.command_text import commands, named
from bot.views.components.forecast import out_of_reach
from bot.views.components.keyboards import button, keyboard
from bot.views.components.layout import escape, lines, paragraphs
from bot.views.components.no_trade_reasons import reason_text
from bot.views.rebalance_plan import PLAN_VALID_FOR, order_text
from bot.views.undo import back_to_panel
from engine.domain.accounts.account import Account
from engine.domain.rebalancing.pending_change import PendingChange
from engine.domain.rebalancing.trade_size import worth_of
from engine.rebalancing.preview import Foreseen

_UNSEEN = (
    "I cannot see your balance now, MEXC does not answer: I do not know what this would trade."
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
    kept = usdt(account.settings.target)
    return Message.paragraphs(
        f"{badge(account)} · Set the target to {usdt(target)}?",
        _first_order(account, foreseen, target=target, when=_when(account)),
        lines(
            _within(f"the target stays {kept}"),
            "I price it again when you tap. (/settarget)",
        ),
        keyboard=keyboard(
            [button(f"Set {usdt(target)}", Confirm(confirmation_id))],
            [button("⬅️ Back", Open(PanelPage.TARGET))] if in_panel else [],
        ),
    )


def ask_live_view(
    *, account: Account, foreseen: Foreseen | None, confirmation_id: str, in_panel: bool
) -> Message:
    """*account* trades on paper; *foreseen* is for real money."""
    tail = escape(account.key_tail or "")
    return Message.paragraphs(
        lines(
            f"{badge(account)} · Trade with real money?",
            f"The key ending in {tail} is used, for {_pair(account)}.",
        ),
        _first_order(
            account,
            foreseen,
            target=account.settings.target,
            when="After /resume, the first check",
        ),
        lines(
            "Trading is paused first: nothing is traded before your /resume.",
            _within("you stay on paper"),
            "(/dryrun off)",
        ),
        keyboard=keyboard(
            [button("Trade for real", Confirm(confirmation_id))],
            [button("⬅️ Back", Open(PanelPage.DRY_RUN))] if in_panel else [],
        ),
    )


def overtaken_view(*, account: Account, proposal: PendingChange) -> Message:
    """A confirmation of something that has changed since."""
    other = [
        f"{name} {value}"
        for (name, value), before in zip(
            named(proposal.found.now(account)), named(proposal.found), strict=True
        )
        if (name, value) != before
    ]
    if other:
        why = f"Something was changed after I asked: {', '.join(other)} now."
    elif account.halted:
        why = "My owner halted all chats after I asked."
    else:
        why = "Something about this account was changed after I asked."
    return Message.of(
        f"{badge(account)} · Nothing changed",
        why,
        f"Send {' and '.join(commands(proposal.wanted))} again if you still want it.",
        keyboard=back_to_panel(proposal),
    )


def _first_order(
    account: Account, foreseen: Foreseen | None, *, target: Decimal, when: str
) -> str:
    if foreseen is None:
        return _UNSEEN
    plan = foreseen.plan
    wanted = replace(account.settings, target=target)
    unreachable = out_of_reach(wanted, foreseen.seen)
    holds = (
        f"You hold {usdt(plan.held)}; with your tokens that is worth about "
        f"{usdt(worth_of(foreseen.seen))}."
    )
    if plan.order is None or foreseen.forecast is None:
        symbol = account.settings.symbol
        reason = (
            reason_text(plan.reason, symbol=symbol, held=plan.held, band=foreseen.look.band)
            if plan.reason
            else None
        )
        return lines(holds, f"{when} would trade nothing now.", reason, unreachable)
    limit = (
        lines(
            reason_text(foreseen.reason, symbol=account.settings.symbol),
            "So it would not be sent unless you raise that limit: /limits.",
        )
        if foreseen.reason is not None
        else None
    )
    order = order_text(
        plan.order, foreseen.forecast, held=plan.held, rules=foreseen.rules, dry_run=False
    )
    return paragraphs(lines(holds, f"{when} would:"), order, unreachable, limit)


def _when(account: Account) -> str:
    if account.halted:
        return "When the halt is lifted, the next check"
    if account.settings.paused:
        return "After /resume, the first check"
    return "The next check"


def _within(otherwise: str) -> str:
    seconds = PLAN_VALID_FOR // timedelta(seconds=1)
    return f"Nothing changed yet. Tap within {seconds} s; without a tap {otherwise}."


def _pair(account: Account) -> str:
    settings = account.settings
    return f"{escape(pair_name(settings.symbol))}, target {cents(settings.target)} USDT"
