"""Stored confirmations with buttons: bound to the user who was asked, answered once."""

import secrets
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from bot.interaction.request import ConfirmationAction, Request, Response
from engine.domain.accounts.confirmation import Confirmation, Refusal
from engine.storage.chat import confirmations
from engine.storage.serialization import from_json, readable, to_json
from engine.storage.service import Service

T = TypeVar("T")

REBALANCE, GO_LIVE, LIFT, UNDO = "rebalance", "go_live", "lift_halt", "undo"
BIG_TARGET, BIG_CHANGE = "big_target", "big_change"
SET_TARGET, SELL_WHOLE, BASKET = "set_target", "sell_whole", "basket"
"""Kinds of confirmations that more than one module uses."""
CHOICE = "choice"
"""The kind of a question which reading of an ambiguous value is meant."""


@dataclass(eq=False, kw_only=True, repr=False)
class Confirmations(Service):
    lifetime: timedelta

    async def ask(
        self,
        request: Request,
        *,
        kind: str,
        payload: object = "",
        lifetime: timedelta | None = None,
        session: AsyncSession | None = None,
    ) -> str:
        """Store a confirmation for one user; its id goes into the buttons. A *payload* that is text
        is stored as it is, anything else as JSON, which `payload_of` reads. *session* is the
        caller's transaction, where it is to be stored in one.
        """
        now = self.clock.now()
        question = Confirmation(
            id=secrets.token_urlsafe(9),
            chat_id=request.chat_id,
            user_id=request.user_id,
            kind=kind,
            payload=payload if isinstance(payload, str) else to_json(payload),
            asked_at=now,
            expires_at=now + (lifetime or self.lifetime),
        )
        async with nullcontext(session) if session else self.database.writing() as writing:
            await confirmations.ask(writing, question)
        return question.id

    def once(self, act: ConfirmationAction) -> ConfirmationAction:
        """Return a handler that runs *act* for the first tap in time only."""

        async def tapped(question: Confirmation, request: Request) -> Response | Refusal:
            taken = await self.take(question.id, request)
            return taken if isinstance(taken, Refusal) else await act(taken, request)

        return tapped

    async def find(self, question_id: str, request: Request) -> Confirmation | Refusal:
        """Return the confirmation if this user may still answer it; nothing is consumed."""
        async with self.database.reading() as session:
            return await confirmations.find(
                session,
                question_id,
                chat_id=request.chat_id,
                user_id=request.user_id,
                now=self.clock.now(),
            )

    async def rewrite(self, question_id: str, payload: object) -> None:
        """Store another *payload* under the same buttons."""
        async with self.database.writing() as session:
            await confirmations.rewrite(session, question_id, to_json(payload))

    async def take(self, question_id: str, request: Request) -> Confirmation | Refusal:
        """Return the confirmation to its user's first tap in time, a Refusal to all others."""
        async with self.database.writing() as session:
            return await confirmations.take(
                session,
                question_id,
                chat_id=request.chat_id,
                user_id=request.user_id,
                now=self.clock.now(),
                message_id=request.message_id,
            )


def payload_of(question: Confirmation, kind: type[T]) -> T:
    """What the question is about. Raises Unreadable for what another version asked."""
    return from_json(question.payload, kind)


def readable_payload(question: Confirmation, kind: type[T]) -> T | None:
    """The same; None for what another version asked."""
    return readable(question.payload, kind)
