"""`/why`, `/balance`, `/history`, `/export`: looking without changing anything."""

import asyncio
from collections.abc import Mapping

from bot.asks import Ask, Command, Document, OnTap, Page
from bot.callbacks import HistoryPage
from bot.export import to_csv
from bot.inputs import NotUnderstood, Topic, parse_history_rows
from bot.messages import Message
from bot.views.balance import balance_failed_view, balance_view
from bot.views.history import (
    export_caption,
    export_failed_view,
    history_view,
    nothing_to_export_view,
)
from bot.views.plan import no_key_view
from bot.views.settings import not_understood_view
from bot.views.why import why_view
from engine.accounts import Accounts
from engine.clock import Clock
from engine.domain.looks import Look, Ordered
from engine.domain.orders import Intent
from engine.domain.pairs import base_of
from engine.errors import Unavailable
from engine.preview import Previews
from engine.situation import Situations
from engine.storage import orders
from engine.storage.database import Database

_MOST_EXPORTED = 100_000


class Looking:
    def __init__(
        self,
        *,
        accounts: Accounts,
        previews: Previews,
        situations: Situations,
        database: Database,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._previews = previews
        self._situations = situations
        self._database = database
        self._clock = clock

    @property
    def commands(self) -> Mapping[str, Command]:
        return {
            "why": self.why,
            "balance": self.balance,
            "history": self.history,
            "export": self.export,
        }

    @property
    def taps(self) -> Mapping[str, OnTap]:
        return {}

    @property
    def pages(self) -> Mapping[type, Page]:
        return {HistoryPage: self._history_page}

    async def why(self, ask: Ask) -> Message:
        account = await self._accounts.of(ask.chat_id)
        situation = await self._situations.of(account)
        return why_view(
            account=account,
            now=self._clock.now(),
            look=situation.look,
            rules=await self._previews.known_rules(account),
            order=await self._order_of(situation.look),
            trouble=situation.trouble,
            unresolved=situation.unresolved,
        )

    async def balance(self, ask: Ask) -> Message:
        account = await self._accounts.of(ask.chat_id)
        if not account.can_trade:
            return no_key_view(account=account)
        try:
            seen, holdings = await self._previews.see(account)
        except Unavailable:
            return balance_failed_view(account=account)
        prices = {base_of(seen.symbol): seen.price} if seen.price else {}
        return balance_view(
            account=account, holdings=holdings, prices=prices, now=self._clock.now()
        )

    async def history(self, ask: Ask) -> Message:
        try:
            size = parse_history_rows(ask.argument)
        except NotUnderstood:
            return not_understood_view(topic=Topic.HISTORY, typed_text=ask.argument)
        return await self._history_page(ask, HistoryPage(page=0, size=size))

    async def _history_page(self, ask: Ask, page: HistoryPage) -> Message:
        account = await self._accounts.of(ask.chat_id)
        async with self._database.reading() as session:
            found = await orders.trades(
                session, account.id, most=page.size + 1, skip=page.page * page.size
            )
        return history_view(
            account=account,
            orders=found[: page.size],
            page=page.page,
            size=page.size,
            has_more=len(found) > page.size,
        )

    async def export(self, ask: Ask) -> Message | Document:
        account = await self._accounts.of(ask.chat_id)
        async with self._database.reading() as session:
            trades = await orders.trades(session, account.id, most=_MOST_EXPORTED)
        if not trades:
            return nothing_to_export_view()
        content = await asyncio.to_thread(to_csv, reversed(trades))
        return Document(
            "ballast-trades.csv",
            content,
            export_caption(count=len(trades)),
            instead=export_failed_view(),
        )

    async def _order_of(self, look: Look | None) -> Intent | None:
        if look is None or not isinstance(look.verdict, Ordered):
            return None
        async with self._database.reading() as session:
            return await orders.get(session, look.verdict.client_order_id)
