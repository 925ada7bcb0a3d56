"""Every command's name beside the one who answers it, and what the buttons of questions do."""

from collections.abc import Mapping
from dataclasses import replace

from bot.asks import Answer, Ask, Command
from bot.callbacks import HistoryPage
from bot.handlers.about import About
from bot.handlers.keys import Keys
from bot.handlers.looking import Looking
from bot.handlers.settings import SettingsOf
from bot.handlers.trading import REBALANCE, Trading
from bot.questions import Questions
from engine.storage.codec import from_json
from engine.storage.confirmations import Refusal


class Desk:
    def __init__(
        self,
        *,
        about: About,
        keys: Keys,
        looking: Looking,
        settings: SettingsOf,
        trading: Trading,
        questions: Questions,
    ) -> None:
        self._about = about
        self._keys = keys
        self._looking = looking
        self._trading = trading
        self._questions = questions
        self.commands: Mapping[str, Command] = {
            "start": about.start,
            "help": about.help,
            "connect": keys.connect,
            "disconnect": keys.disconnect,
            "status": looking.status,
            "settarget": settings.set_target,
            "setthreshold": settings.set_threshold,
            "setinterval": settings.set_interval,
            "count": settings.set_counting,
            "setpair": settings.set_pair,
            "pause": trading.pause,
            "resume": trading.resume,
            "rebalance": trading.rebalance,
            "why": looking.why,
            "history": looking.history,
            "balance": looking.balance,
            "dryrun": settings.set_dry_run,
            "export": looking.export,
            "logs": about.logs,
            "version": about.version,
        }

    async def welcome(self, ask: Ask) -> Answer:
        return await self._about.welcome(ask)

    async def history_page(self, ask: Ask, page: HistoryPage) -> Answer:
        return await self._looking.history_page(ask, page)

    async def said(self, ask: Ask, text: str) -> Answer | None:
        """An answer to a step of a dialog; None where none was waited for."""
        return await self._keys.said(ask, text)

    async def turned_away(self, ask: Ask) -> None:
        """A command came in the middle of a dialog: the dialog is over."""
        await self._keys.forget(ask)

    async def refusal(self, question_id: str, ask: Ask) -> Refusal | None:
        """Why a tap on this question's button would not count; None if it would."""
        question = await self._questions.find(question_id, ask)
        return question if isinstance(question, Refusal) else None

    async def confirmed(self, question_id: str, ask: Ask) -> Answer | Refusal:
        """A tap on the one button of a question."""
        question = await self._questions.find(question_id, ask)
        if isinstance(question, Refusal):
            return question
        if question.kind == REBALANCE:
            return await self._trading.confirmed(question_id, ask)
        taken = await self._questions.take(question_id, ask)
        if isinstance(taken, Refusal):
            return taken
        return await self._keys.disconnect_confirmed(ask)

    async def chosen(self, question_id: str, index: int, ask: Ask) -> Answer | Refusal:
        """A tap on one reading of an ambiguous value: as if that had been typed."""
        taken = await self._questions.take(question_id, ask)
        if isinstance(taken, Refusal):
            return taken
        command, *options = from_json(taken.payload, list[str])
        return await self.commands[command](replace(ask, command=command, argument=options[index]))
