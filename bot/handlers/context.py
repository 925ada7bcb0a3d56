"""What every handler works with, and what it is: commands, taps and pages on one subject."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.access.authorization import Access
from bot.access.command_menu import CommandMenu
from bot.access.invitation_codes import InvitationCodes
from bot.access.update_cancellation import UpdateCancellation
from bot.interaction.confirmations import Confirmations
from bot.interaction.conversations import Conversations
from bot.interaction.message import Message
from bot.interaction.request import Command, ConfirmationHandler, PageHandler, Request
from bot.messaging.responder import Responder
from bot.messaging.status_message import StatusMessages
from bot.observability.telegram_activity import TelegramActivity
from bot.parsing.settings import Ambiguous
from bot.views.settings import question_view
from engine.accounts.account_service import AccountService
from engine.accounts.alert_preferences import AlertPreferenceService
from engine.accounts.database_probe import DatabaseProbe
from engine.accounts.halt import Halts
from engine.accounts.invitations import Invitations
from engine.accounts.key_expiry import KeyExpiryMonitor
from engine.accounts.members import MemberService
from engine.accounts.overview import AccountOverviews
from engine.accounts.pending_changes import PendingChanges
from engine.accounts.records import AccountRecords
from engine.accounts.risk_limits import AccountLimits
from engine.accounts.trading_mode import TradingModes
from engine.accounts.workload import Workload
from engine.clock import Clock
from engine.execution.manual_resolution import ManualResolution
from engine.rebalancing.preview import Previews

CHOICE = "choice"
"""The kind of a question which reading of an ambiguous value is meant."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HandlerContext:
    """What the handlers share. *started_at* is the process's, on the steady clock; *undo_for* is
    how long a change can be taken back with one tap.
    """

    access: Access
    accounts: AccountService
    alert_preferences: AlertPreferenceService
    cancellation: UpdateCancellation
    clock: Clock
    command_menu: CommandMenu
    confirmations: Confirmations
    conversations: Conversations
    database_probe: DatabaseProbe
    halts: Halts
    invitation_codes: InvitationCodes
    invitations: Invitations
    key_expiry: KeyExpiryMonitor
    limits: AccountLimits
    members: MemberService
    modes: TradingModes
    overviews: AccountOverviews
    pending_changes: PendingChanges
    previews: Previews
    records: AccountRecords
    resolution: ManualResolution
    responder: Responder
    started_at: datetime
    status_messages: StatusMessages
    telegram_activity: TelegramActivity
    undo_for: timedelta
    workload: Callable[[], Workload]


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """Commands by their name, what a tap on a question does by the question's kind, and pages,
    which are shown in the place of the message that was tapped, by their button.
    """

    commands: Mapping[str, Command] = field(default_factory=dict)
    taps: Mapping[str, ConfirmationHandler] = field(default_factory=dict)
    pages: Mapping[type, PageHandler] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Handler(ABC):
    """One subject."""

    ctx: HandlerContext

    @abstractmethod
    def routes(self) -> Routes: ...

    async def ask_back(self, request: Request, ambiguous: Ambiguous) -> Message:
        """Which reading is meant; a tap on one is as if that had been typed."""
        options = [ambiguous.topic.value, *ambiguous.options]
        question_id = await self.ctx.confirmations.ask(request, kind=CHOICE, payload=options)
        return question_view(
            ambiguous=ambiguous, typed_text=request.argument, confirmation_id=question_id
        )
