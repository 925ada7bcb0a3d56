"""Changes a setting: asks first where much would move, shows the result, offers undo."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.handlers.context import AccountForecast, Handler, Routes
from bot.handlers.target_card import (
    TargetWish,
    ask_to_set,
    look_at,
    moves_much,
    plan_to_confirm,
)
from bot.interaction.callback_data import PanelPage
from bot.interaction.confirmations import BIG_TARGET, GO_LIVE, UNDO, payload_of
from bot.interaction.message import Message
from bot.interaction.request import ConfirmationHandler, Request
from bot.parsing.settings import Topic
from bot.views.setting_change import (
    ask_live_plan_view,
    ask_live_view,
    ask_target_view,
    overtaken_view,
)
from bot.views.settings import changed_view
from bot.views.settings_panel import page_view, panel_view
from bot.views.undo import (
    page_of,
    undo_late_view,
    undo_overtaken_view,
    undoable,
    undone_title,
    undone_view,
)
from engine.accounts.account_service import Change
from engine.accounts.pending_changes import StaleChange
from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import Confirmation, Refusal
from engine.domain.accounts.settings_change import SettingsPatch, difference
from engine.domain.rebalancing.pending_change import PendingChange
from engine.domain.rebalancing.trade_size import is_big, moved, worth_of
from engine.domain.targets.target import FixedUsdt, Target
from engine.rebalancing.preview import Foreseen

Echo = Callable[[Change, AccountForecast], Message]


@dataclass(frozen=True, eq=False)
class SettingChangeFlow(Handler):
    def routes(self) -> Routes:
        return Routes(
            taps={
                BIG_TARGET: ConfirmationHandler(
                    partial(self.price_again, action="confirm target", agreed=True)
                ),
                GO_LIVE: ConfirmationHandler(partial(self.carry_out, action="real money")),
                UNDO: ConfirmationHandler(
                    partial(self.price_again, action="undo"),
                    late=lambda q: undo_late_view(_pending_change(q)),
                ),
            }
        )

    async def field(
        self,
        request: Request,
        account: Account,
        topic: Topic,
        values: Mapping[str, Any],
        *,
        in_panel: bool,
        foreseen: Foreseen | None = None,
        echo: Echo | None = None,
    ) -> Message:
        """Set fields of the settings at once. *foreseen* is what the next check would do then.
        *echo* words the change outside the panel, where the topic has words of its own.
        """
        undo: tuple[SettingsPatch, str] | None = None

        async def offer(session: AsyncSession, change: Change) -> None:
            nonlocal undo
            undo = await self._offer_undo(
                request, change.before, change.after, in_panel=in_panel, session=session
            )

        change = await self.ctx.accounts.change(
            account, user_id=request.user_id, then=offer, **values
        )
        outlook, expected = None, replace(account.settings, **values)
        if foreseen is not None and change.after == replace(
            account, settings=expected, version=change.after.version
        ):
            outlook = await self.ctx.previews.shown(change.after, foreseen)
        forecast = await self.forecast(change.after, outlook)
        return _echo_view(topic, change, forecast, undo, in_panel=in_panel, echo=echo)

    async def target(
        self, request: Request, account: Account, target: Decimal, *, in_panel: bool
    ) -> Message:
        """Set the target, or ask first where much would move."""
        question, foreseen = await self._question_about_target(
            request, account, target, in_panel=in_panel
        )
        if question is not None:
            return question
        values = {"target": FixedUsdt(target)}
        return await self.field(
            request, account, Topic.TARGET, values, in_panel=in_panel, foreseen=foreseen
        )

    async def dry_run(
        self, request: Request, account: Account, *, on: bool, in_panel: bool
    ) -> Message:
        """Real money is asked about where there is a key that could move it."""
        if on or not account.settings.dry_run or account.sealed_key is None:
            change = await self.ctx.accounts.dry_run(
                request.chat_id, user_id=request.user_id, on=on
            )
            return await self.echo(request, Topic.DRY_RUN, change, in_panel=in_panel)
        for_real = account.with_money(dry_run=False)
        if account.settings.fixed is None:
            return await self._real_money_plan(request, account, for_real, in_panel=in_panel)
        foreseen = await self.ctx.previews.foresee(for_real)
        proposal = change_to_confirm(
            account, SettingsPatch(dry_run=False), foreseen, in_panel=in_panel
        )
        question_id = await self.ctx.confirmations.ask(request, kind=GO_LIVE, payload=proposal)
        return ask_live_view(
            account=account, foreseen=foreseen, confirmation_id=question_id, in_panel=in_panel
        )

    async def _real_money_plan(
        self, request: Request, account: Account, for_real: Account, *, in_panel: bool
    ) -> Message:
        planned = await self.ctx.target_previews.next(for_real)
        proposal = plan_to_confirm(
            account, SettingsPatch(dry_run=False), planned, in_panel=in_panel
        )
        question_id = await self.ctx.confirmations.ask(request, kind=GO_LIVE, payload=proposal)
        return ask_live_plan_view(
            account=account, planned=planned, confirmation_id=question_id, in_panel=in_panel
        )

    async def echo(
        self, request: Request, topic: Topic, change: Change, *, in_panel: bool
    ) -> Message:
        """The echo of a change, or the page of the panel, with a button that takes it back."""
        undo = await self._offer_undo(request, change.before, change.after, in_panel=in_panel)
        forecast = await self.forecast(change.after)
        return _echo_view(topic, change, forecast, undo, in_panel=in_panel)

    async def with_undo(
        self, request: Request, *, before: Account, after: Account, echo: Message
    ) -> Message:
        """Return *echo*, which shows a change made elsewhere, with an undo button."""
        undo = await self._offer_undo(request, before, after, in_panel=False)
        return _undoable(echo, undo, after)

    async def page(
        self, page: PanelPage, account: Account, *, title: str | None = None
    ) -> Message:
        """A page of the panel as things are now."""
        forecast = await self.forecast(account)
        if page is PanelPage.HOME:
            return panel_view(**forecast)
        return page_view(page=page, **forecast, title=title)

    async def _offer_undo(
        self,
        request: Request,
        before: Account,
        after: Account,
        *,
        in_panel: bool,
        session: AsyncSession | None = None,
    ) -> tuple[SettingsPatch, str] | None:
        """What was before, and the question whose button brings it back."""
        back = _change_back(before, after, in_panel=in_panel)
        if back is None:
            return None
        question_id = await self.ctx.confirmations.ask(
            request, kind=UNDO, payload=back, lifetime=self.ctx.undo_for, session=session
        )
        return back.wanted, question_id

    async def _question_about_target(
        self,
        request: Request,
        account: Account,
        target: Decimal,
        *,
        in_panel: bool,
        agreed: PendingChange | None = None,
    ) -> tuple[Message | None, Foreseen | None]:
        """The question whether it should be *target*; None where that moves little, nothing real,
        or no more than was *agreed*. And what it would move, where that was looked at.
        """
        settings = account.settings
        if settings.dry_run or not account.can_trade or FixedUsdt(target) == settings.target:
            return None, None
        wanted = replace(account, settings=replace(settings, target=FixedUsdt(target)))
        foreseen = await self.ctx.previews.foresee(wanted)
        if not needs_a_yes(foreseen, target=target, agreed=agreed):
            return None, foreseen
        proposal = change_to_confirm(
            account, SettingsPatch(target=FixedUsdt(target)), foreseen, in_panel=in_panel
        )
        question_id = await self.ctx.confirmations.ask(request, kind=BIG_TARGET, payload=proposal)
        question = ask_target_view(
            account=account,
            target=target,
            foreseen=foreseen,
            confirmation_id=question_id,
            in_panel=in_panel,
        )
        return question, foreseen

    async def price_again(
        self, question: Confirmation, request: Request, *, action: str, agreed: bool = False
    ) -> Message | Refusal:
        """Do what the question proposed, or ask first where that would move much. *agreed*: what it
        showed was confirmed, so only where more than that would move by now.
        """
        proposal = _pending_change(question)
        account = await self.ctx.accounts.of(request.chat_id)
        target = proposal.wanted.target
        if target is not None and proposal.holds(account):
            if isinstance(target, FixedUsdt):
                again, _ = await self._question_about_target(
                    request,
                    account,
                    target.quote_amount,
                    in_panel=proposal.in_panel,
                    agreed=proposal if agreed else None,
                )
            else:
                again = await self._question_about_shares(request, account, target)
            if again is not None:
                taken = await self.ctx.confirmations.take(question.id, request)
                return taken if isinstance(taken, Refusal) else again
        return await self.carry_out(question, request, action=action)

    async def _question_about_shares(
        self, request: Request, account: Account, target: Target
    ) -> Message | None:
        """What a target of another kind would do, where it would move much of real money."""
        look = await look_at(self.ctx, account, target)
        if account.settings.dry_run or isinstance(look, Message) or not moves_much(look):
            return None
        return await ask_to_set(self.ctx, request, account, TargetWish(target=target), look)

    async def carry_out(
        self, question: Confirmation, request: Request, *, action: str
    ) -> Message | Refusal:
        proposal, is_undo = _pending_change(question), action == "undo"
        done = await self.ctx.pending_changes.carry_out(
            question.id, chat_id=request.chat_id, user_id=request.user_id, action=action
        )
        if isinstance(done, Refusal):
            return done
        if isinstance(done, StaleChange):
            view = undo_overtaken_view if is_undo else overtaken_view
            return view(account=done.account, proposal=proposal)
        if not is_undo:
            topic = Topic.DRY_RUN if proposal.wanted.dry_run is False else Topic.TARGET
            return await self.echo(request, topic, done, in_panel=proposal.in_panel)
        if proposal.in_panel:
            title = undone_title(proposal.wanted)
            return await self.page(page_of(proposal.wanted), done.after, title=title)
        return undone_view(**await self.forecast(done.after), former=proposal.wanted)


def _echo_view(
    topic: Topic,
    change: Change,
    forecast: AccountForecast,
    undo: tuple[SettingsPatch, str] | None,
    *,
    in_panel: bool,
    echo: Echo | None = None,
) -> Message:
    if in_panel:
        page = PanelPage(topic.value)
        return page_view(page=page, **forecast, undo=undo)
    answer = (
        changed_view(topic=topic, **forecast, before=change.before.settings)
        if echo is None
        else echo(change, forecast)
    )
    return _undoable(answer, undo, change.after)


def _undoable(answer: Message, undo: tuple[SettingsPatch, str] | None, after: Account) -> Message:
    if undo is None:
        return answer
    former, question_id = undo
    return undoable(answer, former=former, present=former.now(after), question_id=question_id)


def _change_back(before: Account, after: Account, *, in_panel: bool) -> PendingChange | None:
    """What a tap on "undo" would bring back."""
    former, present = difference(before, after)
    if not former.names or present.dry_run is False:
        return None  # who went over to real money has thought about it
    return PendingChange(wanted=former, found=present, in_panel=in_panel)


def needs_a_yes(
    foreseen: Foreseen | None, *, target: Decimal | None, agreed: PendingChange | None
) -> bool:
    """True if it would move much, or that is unknown, and the user has not confirmed it."""
    if foreseen is None or target is None:
        return agreed is None
    amount = moved(foreseen.plan, target=target)
    if not is_big(amount, worth=worth_of(foreseen.seen)):
        return False
    order = foreseen.plan.order
    return agreed is None or (order is not None and not agreed.covers(order))


def change_to_confirm(
    account: Account, wanted: SettingsPatch, foreseen: Foreseen | None, *, in_panel: bool
) -> PendingChange:
    order = foreseen.plan.order if foreseen else None
    return PendingChange(
        wanted=wanted,
        found=SettingsPatch.of(account),
        version=account.version,
        side=order.side if order else None,
        expected_quote=order.expected_quote if order else None,
        in_panel=in_panel,
    )


def _pending_change(question: Confirmation) -> PendingChange:
    return payload_of(question, PendingChange)
