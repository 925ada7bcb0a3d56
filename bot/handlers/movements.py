"""The taps on the question what to do with USDT that arrived."""

from collections.abc import Mapping

from bot.asks import Answer, Ask, Command, OnTap, Page
from bot.callbacks import Choose, Confirm
from bot.questions import Questions
from bot.views.movements import (
    CHOICES,
    LEAVE,
    left_view,
    target_changed_meanwhile_view,
    target_raised_view,
)
from engine.accounts import Accounts
from engine.movements import DEPOSIT, Movements
from engine.storage.confirmations import Confirmation, Refusal


class Deposits:
    """It has no command: "Trade it" is /rebalance, and /settarget sets any target."""

    def __init__(self, *, accounts: Accounts, movements: Movements, questions: Questions) -> None:
        self._accounts = accounts
        self._movements = movements
        self._questions = questions

    @property
    def commands(self) -> Mapping[str, Command]:
        return {}

    @property
    def taps(self) -> Mapping[str, OnTap]:
        return {DEPOSIT: OnTap(self._answered, choices=lambda _: len(CHOICES))}

    @property
    def pages(self) -> Mapping[type, Page]:
        return {}

    async def _answered(
        self, question: Confirmation, press: Confirm | Choose, ask: Ask
    ) -> Answer | Refusal:
        account = await self._accounts.of(ask.chat_id)
        if isinstance(press, Choose) and press.index == LEAVE:
            taken = await self._questions.take(question.id, ask)
            return taken if isinstance(taken, Refusal) else left_view(account=account)
        raised = await self._movements.raise_target(question.id, account, user_id=ask.user_id)
        if isinstance(raised, Refusal):
            return raised
        if raised.before == raised.after:
            return target_changed_meanwhile_view(account=raised.after)
        return target_raised_view(account=raised.after)
