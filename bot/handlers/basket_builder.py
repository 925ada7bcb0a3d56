"""Puts a basket together by buttons alone; the draft is stored, for the user who began it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

from bot.handlers.context import Handler, Routes
from bot.handlers.target_card import TargetWish
from bot.handlers.target_change import TargetChangeFlow
from bot.interaction.callback_data import BuildBasket, BuildStep
from bot.interaction.confirmations import BASKET, readable_payload
from bot.interaction.message import Message
from bot.interaction.request import Request, Response, Toast
from bot.views.basket_builder import (
    builder_over_view,
    builder_view,
    nothing_left_note,
    nothing_to_build_view,
    rounded_note,
)
from bot.views.rebalance_plan import foreign_tap_notice
from bot.views.target import NEW_DRAFT, not_read_view
from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import Confirmation, Refusal, RefusalReason
from engine.domain.market.pairs import USDT, Asset
from engine.domain.targets.draft import STEP, Draft
from engine.errors import Unavailable

_KEPT_FOR = timedelta(days=1)
_MOST_OFFERED = 24
# One after the other.
_STEPS = (5, 25, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketDraft:
    """A basket that is being put together. Buttons carry the place of a token in *offered*; *worth*
    is in USDT, as it was at the beginning.
    """

    offered: tuple[Asset, ...]
    worth: Mapping[Asset, Decimal]
    draft: Draft = field(default_factory=Draft)
    step: int = STEP


@dataclass(frozen=True, eq=False)
class BasketBuilder(Handler):
    change: TargetChangeFlow

    def routes(self) -> Routes:
        return Routes(pages={BuildBasket: self._tapped})

    async def begin(self, request: Request) -> Message:
        """A new draft: the present basket, or nothing."""
        account = await self.ctx.accounts.of(request.chat_id)
        present = account.settings.targeting.basket
        draft = Draft() if present is None else Draft.of(present)
        worth: Mapping[Asset, Decimal] = {}
        if account.can_trade:
            try:
                worth = await self.ctx.target_previews.worth(account)
            except Unavailable:
                return not_read_view(account=account)
        chosen = [asset for asset, _ in draft.percents]
        named = dict.fromkeys([*chosen, *account.settings.targeting.tokens, *worth])
        offered = tuple(asset for asset in named if asset != USDT)[:_MOST_OFFERED]
        if not offered:
            return nothing_to_build_view(account=account)
        shown = {asset: worth[asset] for asset in (USDT, *offered) if asset in worth}
        state = BasketDraft(offered=offered, worth=shown, draft=draft)
        draft_id = await self.ctx.confirmations.ask(
            request, kind=BASKET, payload=state, lifetime=_KEPT_FOR
        )
        is_exact = present is None or draft.basket == present
        return _view(account, state, draft_id, note=None if is_exact else rounded_note())

    async def _tapped(self, request: Request, press: BuildBasket) -> Response:
        if press.id == NEW_DRAFT:
            return await self.begin(request)
        question = await self.ctx.confirmations.find(press.id, request)
        if isinstance(question, Refusal):
            is_foreign = question.why is RefusalReason.FOREIGN
            return Toast(foreign_tap_notice()) if is_foreign else builder_over_view()
        state = _stored(question, press)
        if state is None:
            return builder_over_view()
        account = await self.ctx.accounts.of(request.chat_id)
        if press.step is BuildStep.DONE and (basket := state.draft.basket) is not None:
            wish = TargetWish(target=basket, draft_id=press.id)
            return await self.change.propose(request, account, wish)
        after, note = _changed(state, press)
        if after != state:
            await self.ctx.confirmations.rewrite(press.id, after)
        return _view(account, after, press.id, note=note)


def _stored(question: Confirmation, press: BuildBasket) -> BasketDraft | None:
    """The draft that the button belongs to; None for what another version made."""
    state = readable_payload(question, BasketDraft) if question.kind == BASKET else None
    return state if state is not None and press.index < len(state.offered) else None


def _changed(state: BasketDraft, press: BuildBasket) -> tuple[BasketDraft, str | None]:
    """The draft after the tap, and why the tap could do nothing."""
    draft, asset = state.draft, state.offered[press.index]
    match press.step:
        case BuildStep.PLUS if draft.rest == 0:
            return state, nothing_left_note()
        case BuildStep.PLUS:
            draft = draft.plus(asset, state.step)
        case BuildStep.MINUS:
            draft = draft.minus(asset, state.step)
            if not dict(draft.percents)[asset]:
                draft = draft.without(asset)
        case BuildStep.DROP:
            draft = draft.without(asset)
        case BuildStep.EVENLY:
            draft = draft.evenly()
        case BuildStep.STEP:
            following = (_STEPS.index(state.step) + 1) % len(_STEPS)
            return replace(state, step=_STEPS[following]), None
        case BuildStep.SHOW | BuildStep.DONE:
            pass
    return replace(state, draft=draft), None


def _view(account: Account, state: BasketDraft, draft_id: str, *, note: str | None) -> Message:
    return builder_view(
        account=account,
        draft=state.draft,
        offered=state.offered,
        worth=state.worth,
        step=state.step,
        draft_id=draft_id,
        note=note,
    )
