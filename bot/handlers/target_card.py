"""The question before a target of any kind is set: what it would do, read now."""

from dataclasses import dataclass, replace
from decimal import Decimal

from bot.handlers.context import HandlerContext
from bot.interaction.confirmations import SET_TARGET
from bot.interaction.message import Message
from bot.interaction.request import Request
from bot.views.target import (
    closed_pair_view,
    consequence_view,
    no_pair_view,
    no_price_view,
    not_read_view,
    refused_view,
)
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings_change import SettingsPatch
from engine.domain.market.decimals import ZERO
from engine.domain.portfolio.consequence import Consequence, refusal
from engine.domain.portfolio.plan import MissingPrices, NoPlan, OldPrices
from engine.domain.rebalancing.pending_change import PendingChange
from engine.domain.rebalancing.run_request import price_allowance
from engine.domain.rebalancing.trade_size import is_big
from engine.domain.targets.target import Target
from engine.errors import Unavailable
from engine.rebalancing.portfolio_planning import Planned
from engine.rebalancing.target_preview import ClosedPair, NoPair, TargetLook


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetWish:
    """A target that is being set. *draft_id* is the basket's that was put together by buttons."""

    target: Target
    draft_id: str | None = None


async def look_at(ctx: HandlerContext, account: Account, target: Target) -> TargetLook | Message:
    """What *target* would do to *account*; the refusal where it cannot be set."""
    wanted = replace(account, settings=replace(account.settings, target=target))
    targeting = wanted.settings.targeting
    if (why := refusal(targeting)) is not None:
        return refused_view(account=account, wanted=targeting, why=why)
    try:
        look = await ctx.target_previews.look(wanted)
    except Unavailable:
        return not_read_view(account=account)
    if isinstance(look, NoPair):
        return no_pair_view(account=account, assets=look.assets)
    if isinstance(look, ClosedPair):
        return closed_pair_view(account=account, symbols=look.symbols)
    if isinstance(look.found, MissingPrices | OldPrices):
        return no_price_view(account=account, found=look.found)
    return look


async def ask_to_set(
    ctx: HandlerContext, request: Request, account: Account, wish: TargetWish, look: TargetLook
) -> Message:
    """The card with the button that sets it, bound to this user, the account and what it shows."""
    proposal = PendingChange(
        wanted=SettingsPatch(target=wish.target),
        found=SettingsPatch.of(account),
        version=account.version,
        side=look.legs[0].side if look.legs else None,
        expected_quote=_turnover(look),
    )
    question_id = await ctx.confirmations.ask(request, kind=SET_TARGET, payload=proposal)
    return consequence_view(
        account=account,
        wanted=wish.target,
        look=look,
        confirmation_id=question_id,
        draft_id=wish.draft_id,
    )


def covers(proposal: PendingChange, look: TargetLook) -> bool:
    """True if no more would be traded than was shown, within the price tolerance."""
    if not look.legs:
        return True
    shown = proposal.expected_quote or ZERO
    same_side = look.legs[0].side is proposal.side
    return same_side and _turnover(look) <= shown + price_allowance(shown)


def moves_much(look: TargetLook) -> bool:
    if not isinstance(look.found, Consequence):
        return False
    return is_big(_turnover(look), worth=look.found.plan.whole)


def _turnover(look: TargetLook) -> Decimal:
    return sum((leg.quote_amount for leg in look.legs), ZERO)


def plan_needs_a_yes(planned: Planned | NoPlan | None, *, agreed: PendingChange | None) -> bool:
    """True if the plan would move much, or that is unknown, and the user has not confirmed it."""
    if planned is None:
        return agreed is None
    if not isinstance(planned, Planned):
        return False
    plan = planned.plan
    if not is_big(plan.turnover, worth=plan.whole):
        return False
    return agreed is None or not agreed.covers_plan(plan)


def plan_to_confirm(
    account: Account,
    wanted: SettingsPatch,
    planned: Planned | NoPlan | None,
    *,
    in_panel: bool,
) -> PendingChange:
    plan = planned.plan if isinstance(planned, Planned) else None
    return PendingChange(
        wanted=wanted,
        found=SettingsPatch.of(account),
        version=account.version,
        side=plan.legs[0].side if plan and plan.legs else None,
        expected_quote=plan.turnover if plan else None,
        in_panel=in_panel,
    )
