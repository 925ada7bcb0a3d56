"""`/status`: the chat's live card, and its buttons "Refresh" and "Pin"."""

from dataclasses import dataclass

from telegram.error import BadRequest, TelegramError

from bot.handlers.context import Handler, Routes
from bot.interaction.callback_data import Pin, Refresh
from bot.interaction.request import Request, Toast, TrackedMessage
from bot.messaging.rendered_status import price_on
from bot.views.status import (
    may_not_pin_notice,
    newer_card_notice,
    not_read_notice,
    pinned_notice,
    telegram_away_notice,
    up_to_date_notice,
)
from engine.domain.accounts.account import Account
from engine.domain.accounts.members import Role
from engine.domain.rebalancing.check_result import CheckResult, PriceSeen


@dataclass(frozen=True, eq=False)
class StatusHandler(Handler):
    def routes(self) -> Routes:
        return Routes(
            commands={"status": self.status}, pages={Refresh: self._refresh, Pin: self._pin}
        )

    async def status(self, request: Request) -> TrackedMessage:
        """Send a new status message; the former one is closed once this one is delivered."""
        account = await self.ctx.accounts.of(request.chat_id)
        card = await self.ctx.status_messages.of(request.chat_id)
        drawn = await self.ctx.status_messages.draw(
            account,
            card,
            look=await self._look(account, price_on(card, account.settings.symbol)),
            rules=await self.ctx.previews.known_rules(account),
            undelivered=True,
            for_viewer=not request.role.covers(Role.TRADER),
            chat_id=request.chat_id,
        )

        async def then(message_id: int) -> None:
            await self.ctx.status_messages.track(request.chat_id, message_id, drawn)

        return TrackedMessage(drawn.message, then)

    async def _refresh(self, request: Request, _: Refresh) -> Toast:
        account = await self.ctx.accounts.of(request.chat_id)
        card = await self.ctx.status_messages.tapped(
            account, request.message_id, chat_id=request.chat_id, is_shown=request.is_shown
        )
        if card is None:
            return Toast(newer_card_notice())
        look = await self._look(account, price_on(card, account.settings.symbol))
        is_viewer = not request.role.covers(Role.TRADER)
        drawn = await self.ctx.status_messages.draw(
            account,
            card,
            look=look,
            rules=await self.ctx.previews.known_rules(account),
            # In a group a viewer's tap leaves the others their buttons.
            for_viewer=is_viewer and (request.is_private or card.for_viewer),
            chat_id=request.chat_id,
        )
        if not await self.ctx.status_messages.show(card, drawn):
            return Toast(telegram_away_notice())
        if look is None and account.can_trade:
            return Toast(not_read_notice(seen_at=drawn.look.at if drawn.look else None))
        return Toast(up_to_date_notice())

    async def _look(self, account: Account, shown: PriceSeen | None) -> CheckResult | None:
        """The balances of now; None where they cannot be read soon."""
        live = await self.ctx.overviews.live_look(account, shown=shown)
        if live is None:
            return await self.ctx.previews.fresh_look(account, patiently=True)
        look, is_priced = live
        return look if is_priced else await self.ctx.previews.priced(account, look)

    async def _pin(self, request: Request, press: Pin) -> Toast:
        """Twice is once."""
        account = await self.ctx.accounts.of(request.chat_id)
        card = await self.ctx.status_messages.tapped(
            account, request.message_id, chat_id=request.chat_id, is_shown=request.is_shown
        )
        if card is None:
            return Toast(newer_card_notice())
        try:
            card = await self.ctx.status_messages.pin(card, pinned=press.on)
        except BadRequest:
            return Toast(may_not_pin_notice())
        except TelegramError:
            return Toast(telegram_away_notice())
        await self.ctx.status_messages.show(
            card, await self.ctx.status_messages.draw(account, card, chat_id=request.chat_id)
        )
        return Toast(pinned_notice(pinned=press.on))
