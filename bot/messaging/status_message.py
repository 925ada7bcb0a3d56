"""Keeps one live status message per chat, edited whenever something happened."""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError

from bot.interaction.message import Message, MessagePlace
from bot.messaging.flood_control import FloodControl, QuietPeriod
from bot.messaging.refusals import RefusalCause, refusal_cause
from bot.messaging.rendered_status import RenderedStatus, hash_of, price_on, showing
from bot.messaging.sender import MessageSender
from bot.views.components.times import times_in
from bot.views.status import RENEWED_EVERY, retired_card_view, status_view
from engine.accounts.deliverability import Deliverability
from engine.accounts.overview import AccountOverviews, Weeks
from engine.clock import Clock
from engine.domain.accounts.account import Account
from engine.domain.accounts.shares import Share
from engine.domain.accounts.undeliverable import NOTHING
from engine.domain.market.pairs import PairRules, Symbol
from engine.domain.rebalancing.check_result import CheckResult, newest, newest_price, price_in
from engine.rebalancing.preview import Previews
from engine.storage import availability
from engine.storage.accounts import accounts, acting, shares
from engine.storage.accounts.acting import ShareLost
from engine.storage.chat import status_messages
from engine.storage.chat.status_messages import NOT_SENT, StatusMessage
from engine.storage.database import Database

# Telegram takes 20 messages a minute in a group; a user's own tap may cause an edit sooner.
_PAUSE, _AFTER_A_TAP = timedelta(minutes=1), timedelta(seconds=3)
_AT_ONCE = 10
_LISTED_EVERY = timedelta(minutes=1)

logger = logging.getLogger(__name__)


class StatusMessages:
    """Renders what the checks and the users' commands read.
    The exchange is asked only for a status message without a known balance, and not while the
    chat's updates wait. *owner* is the process's name in the leases. *on_migrated* gets a group's
    old and new id. *renewed*: `renew_oldest` is called about once a second.
    """

    def __init__(
        self,
        *,
        sender: MessageSender,
        database: Database,
        clock: Clock,
        overviews: AccountOverviews,
        previews: Previews,
        owner: str,
        on_migrated: Callable[[int, int], Awaitable[None]],
        deliverability: Deliverability,
        flood: FloodControl,
        renewed: bool = True,
    ) -> None:
        self._weeks = Weeks(database=database, clock=clock)
        self._renewed = renewed
        self._flood = flood
        self._sender = sender
        self._deliverability = deliverability
        self._database = database
        self._clock = clock
        self._overviews = overviews
        self._previews = previews
        self._owner = owner
        self._on_migrated = on_migrated
        self._rules: dict[Symbol, PairRules] = {}
        self._turns: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._quiet_until = clock.steady()
        self._edited_at: dict[int, datetime] = {}
        self._to_renew: deque[int] = deque()
        self._listed_at: datetime | None = None

    async def of(self, chat_id: int) -> StatusMessage | None:
        async with self._database.reading() as session:
            return await status_messages.get(session, chat_id)

    def recount(self, account: Account) -> None:
        """Say on the next card what was made after a correction."""
        self._weeks.forget(account)

    async def draw(
        self,
        account: Account,
        card: StatusMessage | None,
        *,
        look: CheckResult | None = None,
        rules: PairRules | None = None,
        undelivered: bool = False,
        for_viewer: bool | None = None,
        chat_id: int | None = None,
    ) -> RenderedStatus:
        """Render with the newest of the balances of *card*, of the last check, and of *look*.
        *chat_id* sees the account, its own chat unless given; *for_viewer*: as *card*, unless given.
        *rules* are kept. *undelivered*: include what waits, and where Telegram accepts nothing.
        """
        if rules is not None:
            self._rules[rules.symbol] = rules
        overview = await self._overviews.of(account)
        known = (look, overview.seen, overview.streamed, card.look if card else None)
        seen_last = newest(*(k for k in known if k and k.seen and k.concerns(account.funds)))
        symbol = account.settings.symbol
        price = None
        if seen_last is not None and seen_last.seen and seen_last.seen.symbol == symbol:
            read = (price_in(k, symbol) for k in known)
            price = newest_price(overview.price, price_on(card, symbol), *read)
        week = await self._weeks.of(account, last_trade=overview.last_trade, seen=overview.seen)
        checked = None if account.stopped or not account.can_trade else overview.checked
        if for_viewer is None:
            for_viewer = card is not None and card.for_viewer
        share = await self._share_of(account, chat_id)
        undelivered = undelivered and share is None
        refused = await self._deliverability.of_chat(account.chat_id) if undelivered else NOTHING
        zone = overview.time_zone if share is None else share.time_zone

        def view(*, precise: bool) -> Message:
            return status_view(
                account=account,
                now=self._clock.now(),
                look=seen_last,
                price=price,
                week=week,
                checked=checked,
                next_check_at=overview.next_check_at,
                live_every=overview.live_every,
                rules=self._rules.get(symbol) if precise else None,
                last_trade=overview.last_trade,
                unresolved=overview.unresolved,
                trouble=overview.trouble,
                pause=overview.pause,
                ioc=overview.ioc,
                slices=overview.slices,
                undelivered=overview.undelivered if undelivered else 0,
                refused=refused,
                pinned=card.pinned if card else False,
                for_viewer=for_viewer,
                is_shared=share is not None,
                renewed=self._renewed,
                dated=precise,
            )

        with times_in(zone):
            message = view(precise=True)
            gist = hash_of(view(precise=False))
        return RenderedStatus(
            message, gist, hash_of(message), seen_last, price, for_viewer, checked is not None
        )

    async def _share_of(self, account: Account, chat_id: int | None) -> Share | None:
        """The share by which the chat sees the account; None for the account's own chat.

        Raises ShareLost where it does not any more.
        """
        if chat_id is None or chat_id == account.chat_id:
            return None
        if (known := acting.present(chat_id)) is not None and not known.left:
            return known.share
        async with self._database.reading() as session:
            share = await shares.of_chat(session, chat_id)
        if share is None or share.account_id != account.id:
            raise ShareLost(f"chat {chat_id}")
        return share

    async def track(self, chat_id: int, message_id: int, drawn: RenderedStatus) -> None:
        """Track a new status message of the chat; the older one is closed."""
        async with self._turns[chat_id]:
            card = showing(StatusMessage(chat_id=chat_id, message_id=message_id), drawn)
            newest = await self.of(chat_id)
            if newest is not None and newest.message_id > message_id:
                await self.retire(chat_id, message_id)  # its answer took longer
                return
            self._edited_at[chat_id] = self._clock.steady()
            before = await self._keep(card)
        if before is None or before.message_id in {message_id, NOT_SENT}:
            return
        if before.pinned:
            await self._try_pin(card, pinned=True)
            await self._try_pin(before, pinned=False)
        await self.retire(chat_id, before.message_id)

    async def tapped(
        self, account: Account, message_id: int, *, chat_id: int, is_shown: bool
    ) -> StatusMessage | None:
        """The chat's card whose button was tapped; None for one that is not kept any more.

        A newer one than is known was delivered late, or forgotten by mistake: it is the card now,
        if it has the card's buttons, which *is_shown* tells.
        """
        kept = await self.of(chat_id)
        if kept is not None and kept.message_id == message_id:
            return kept
        if kept is not None and kept.message_id > message_id:
            await self.retire(chat_id, message_id)
            return None
        if not is_shown:
            return None
        unseen = replace(await self.draw(account, kept, chat_id=chat_id), gist="", words="")
        await self.track(chat_id, message_id, unseen)
        return await self.of(chat_id)

    async def retire(self, chat_id: int, message_id: int) -> None:
        """Mark an older status message as outdated; if it cannot be edited, it stays."""
        try:
            await self._sender.edit(chat_id, message_id, retired_card_view())
        except TelegramError as e:
            logger.info(
                "old status message kept", extra={"chat_id": chat_id, "problem": e.message}
            )

    async def show(self, card: StatusMessage, drawn: RenderedStatus) -> bool:
        """Edit the status message unless it is up to date; True if it now is."""
        if self._clock.steady() < self._quiet_until:
            return False
        async with self._turns[card.chat_id]:
            current = await self.of(card.chat_id)
            is_same = current is not None and current.message_id == card.message_id
            return await self._show(current if current and is_same else card, drawn)

    async def pin(self, card: StatusMessage, *, pinned: bool) -> StatusMessage:
        """Pin the status message. Raises what Telegram refuses with."""
        await self._sender.pin(card.chat_id, card.message_id, pinned=pinned)
        async with self._database.writing() as session:
            await status_messages.pin(session, card, pinned=pinned)
        return replace(card, pinned=pinned)

    async def refresh_soon(self, chat_id: int) -> None:
        """Refresh after a user changed something in the chat: now, or within seconds. The cards of
        other chats that see the same account follow.
        """
        now = self._clock.now()
        try:
            if self._clock.steady() < self._quiet_until or await self.of(chat_id) is None:
                return
            async with self._database.writing() as session:
                claimed = await status_messages.claim_now(
                    session, chat_id, now=now, pause=_PAUSE, at_most_every=_AFTER_A_TAP
                )
                soon = now + _AFTER_A_TAP
                await status_messages.hurry_others(session, but_not=chat_id, at=soon)
            if claimed and await self._renew(chat_id) is None:
                async with self._database.writing() as session:
                    await status_messages.make_due(
                        session, chat_id, at=now
                    )  # left to the periodic job, which reads
        except availability.AWAY as e:
            # The command is done and answered; the periodic job refreshes the status message.
            logger.warning("status message not refreshed", extra={"problem": type(e).__name__})

    async def round(self) -> None:
        """Edit the status messages that are due and changed; a handful per call."""
        now = self._clock.now()
        async with self._database.reading() as session:
            if not await status_messages.any_due(session, owner=self._owner, now=now):
                return
        async with self._database.writing() as session:
            due = await status_messages.claim(
                session, owner=self._owner, now=now, pause=_PAUSE, most=_AT_ONCE
            )
        for chat_id in due:
            if self._clock.steady() < self._quiet_until:
                return
            with suppress(ShareLost):
                await self._renew(chat_id, reads=True)

    async def renew_oldest(self) -> None:
        """Edit one status message of this process's accounts that was not edited for 15 min, with
        what is known: nothing is stored, and the exchange is not asked.
        """
        now = self._clock.steady()
        if now < self._quiet_until:
            return
        if not self._to_renew and (
            self._listed_at is None or now - self._listed_at >= _LISTED_EVERY
        ):
            self._listed_at = now
            async with self._database.reading() as session:
                self._to_renew.extend(await status_messages.of_owner(session, owner=self._owner))
        while self._to_renew:
            chat_id = self._to_renew.popleft()
            last = self._edited_at.get(chat_id)
            if last is None or now - last >= RENEWED_EVERY:
                with suppress(ShareLost):
                    await self._edit_unstored(chat_id)
                return

    async def _edit_unstored(self, chat_id: int) -> None:
        async with self._turns[chat_id]:
            async with self._database.reading() as session:
                card = await status_messages.get(session, chat_id)
                account = await accounts.acting_for(session, chat_id)
            if card is None or account is None or card.message_id == NOT_SENT:
                return
            drawn = await self.draw(account, card, chat_id=chat_id)
            if not drawn.is_checked and not account.stopped:
                return  # until its first check, which is due soon
            self._edited_at[chat_id] = self._clock.steady()
            if not drawn.is_checked:
                return
            try:
                await self._sender.edit(chat_id, card.message_id, drawn.message)
            except TelegramError as e:
                await self._not_taken(card, e)

    async def _renew(self, chat_id: int, *, reads: bool = False) -> CheckResult | None:
        """Return the claimed status message as rendered now, and the balances that it shows."""
        async with self._turns[chat_id]:
            async with self._database.reading() as session:
                card = await status_messages.get(session, chat_id)
                account = await accounts.acting_for(session, chat_id)
            if card is None or account is None:
                return None
            drawn = await self.draw(account, card, chat_id=chat_id)
            if drawn.look is None and reads:
                look = await self._previews.fresh_look(account)
                drawn = await self.draw(account, card, look=look, chat_id=chat_id)
            if card.message_id == NOT_SENT:
                await self._send(card, account, drawn)
            elif drawn.gist != card.gist:
                await self._show(card, drawn)
            return drawn.look

    async def _show(self, card: StatusMessage, drawn: RenderedStatus) -> bool:
        if card.words == drawn.words:
            return True
        try:
            await self._sender.edit(card.chat_id, card.message_id, drawn.message)
        except TelegramError as e:
            await self._not_taken(card, e)
            return False
        self._edited_at[card.chat_id] = self._clock.steady()
        async with self._database.writing() as session:
            await status_messages.said(session, showing(card, drawn), before=card)
        return True

    async def _send(self, card: StatusMessage, account: Account, drawn: RenderedStatus) -> None:
        """Send the status message of a group that became a supergroup to its new chat."""
        topic_id = account.topic_id if account.chat_id == card.chat_id else None
        try:
            message_id = await self._sender.send(
                MessagePlace(card.chat_id, topic_id), replace(drawn.message, silent=True)
            )
        except TelegramError as e:
            await self._not_taken(card, e)
            return
        new = showing(replace(card, message_id=message_id), drawn)
        await self._keep(new)
        if new.pinned:
            await self._try_pin(new, pinned=True)

    async def _keep(self, card: StatusMessage) -> StatusMessage | None:
        """Store the chat's status message, pinned if the previous one was, which is returned."""
        now = self._clock.now()
        async with self._database.writing() as session:
            before = await status_messages.get(session, card.chat_id)
            pinned = card.pinned or (before is not None and before.pinned)
            return await status_messages.put(
                session, replace(card, pinned=pinned), next_edit_at=now + _PAUSE
            )

    async def _not_taken(self, card: StatusMessage, error: TelegramError) -> None:
        """Wait if Telegram is busy or away; forget a status message that was deleted."""
        about = {"chat_id": card.chat_id, "problem": error.message}
        if isinstance(error, ChatMigrated):
            await self._on_migrated(card.chat_id, error.new_chat_id)
        elif isinstance(error, QuietPeriod):
            logger.info("status message delayed", extra=about)
        elif isinstance(error, RetryAfter):
            logger.warning("status messages rate limited", extra=about)
            pause = self._flood.slowed(card.chat_id, error)
            self._quiet_until = self._clock.steady() + pause
            async with self._database.writing() as session:
                await status_messages.postpone(session, until=self._clock.now() + pause)
        elif (
            isinstance(error, Forbidden | BadRequest)
            and refusal_cause(error) is not RefusalCause.RIGHTS
        ):
            logger.info("status message deleted", extra=about)
            async with self._database.writing() as session:
                await status_messages.forget(session, card)
        else:
            logger.info("status message not edited", extra=about)

    async def _try_pin(self, card: StatusMessage, *, pinned: bool) -> None:
        try:
            await self._sender.pin(card.chat_id, card.message_id, pinned=pinned)
        except TelegramError as e:
            logger.info("pin not moved", extra={"chat_id": card.chat_id, "problem": e.message})
