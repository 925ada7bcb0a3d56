"""Who answers what: every handler, and what it works with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.access.authorization import Access
from bot.access.command_menu import Menus
from bot.access.invitation_codes import Door
from bot.handlers.alerts import AlertsOf
from bot.handlers.api_key import Keys
from bot.handlers.audit import Trail
from bot.handlers.balance import BalanceOf
from bot.handlers.deposits import Deposits
from bot.handlers.doctor import Doctor
from bot.handlers.export import Export
from bot.handlers.general import About
from bot.handlers.history import History
from bot.handlers.limits import Guards
from bot.handlers.members import PeopleOf
from bot.handlers.setting_change import Changing
from bot.handlers.settings import SettingsOf
from bot.handlers.settings_panel import Panel
from bot.handlers.status import StatusCard
from bot.handlers.trading import Trading
from bot.handlers.trading_mode import ModeOf
from bot.handlers.unresolved_order import Unclear
from bot.handlers.update_cancellation import Overtaking
from bot.handlers.why import Why
from bot.interaction.confirmations import Questions
from bot.interaction.conversations import Dialogs
from bot.messaging.responder import Replies
from bot.messaging.status_message import LiveCards
from bot.observability.telegram_activity import Polls
from bot.routing.access_filter import Gate
from bot.routing.registry import Desk, Handler
from engine.accounts.account_service import Accounts
from engine.accounts.alert_preferences import Alerting
from engine.accounts.chat_migration import Supergroups
from engine.accounts.deliverability import Deliverability
from engine.accounts.halt import Halts
from engine.accounts.invitations import Invitations
from engine.accounts.key_expiry import KeyLife
from engine.accounts.members import People
from engine.accounts.overview import Situations
from engine.accounts.pending_changes import Changes
from engine.accounts.risk_limits import AccountLimits
from engine.accounts.trading_mode import Modes
from engine.accounts.workload import Workload
from engine.clock import Clock
from engine.exchanges.interface import ExchangeFor
from engine.execution.manual_resolution import Clarifier
from engine.rebalancing.preview import Previews
from engine.security.vault import Vault
from engine.storage.database import Database
from engine.timeouts import Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the handlers share."""

    accounts: Accounts
    access: Access
    cards: LiveCards
    clock: Clock
    database: Database
    deliverability: Deliverability
    exchange_for: ExchangeFor
    key_life: KeyLife
    menus: Menus
    polls: Polls
    previews: Previews
    replies: Replies
    situations: Situations
    supergroups: Supergroups
    timing: Timing
    vault: Vault
    workload: Callable[[], Workload]


def open_desk(means: Means) -> tuple[Gate, Desk]:
    """The door, and the desk behind it."""
    questions = Questions(
        database=means.database, clock=means.clock, lifetime=means.timing.question
    )
    people = People(database=means.database, clock=means.clock)
    invitations = Invitations(
        database=means.database, clock=means.clock, standing=means.access.standing
    )
    door = Door(invitations=invitations, accounts=means.accounts, menus=means.menus)
    about = About(
        accounts=means.accounts,
        access=means.access,
        door=door,
        people=people,
        clock=means.clock,
    )
    unclear = Unclear(
        clarifier=Clarifier(
            database=means.database, clock=means.clock, exchange_for=means.exchange_for
        ),
        questions=questions,
    )
    dialogs = Dialogs(
        database=means.database,
        sealer=means.vault,
        clock=means.clock,
        patience=means.timing.dialog,
    )
    changing = Changing(
        accounts=means.accounts,
        changes=Changes(database=means.database, clock=means.clock),
        previews=means.previews,
        situations=means.situations,
        questions=questions,
        clock=means.clock,
        undo_for=means.timing.undo,
    )
    settings = SettingsOf(
        accounts=means.accounts, previews=means.previews, questions=questions, changing=changing
    )
    overtaking = Overtaking(sealer=means.vault, clock=means.clock)
    guards = Guards(
        accounts=means.accounts,
        limits=AccountLimits(database=means.database, clock=means.clock),
        halts=Halts(database=means.database, clock=means.clock),
        access=means.access,
        previews=means.previews,
        situations=means.situations,
        questions=questions,
        changing=changing,
        overtaking=overtaking,
        clock=means.clock,
    )
    panel = Panel(
        accounts=means.accounts,
        changing=changing,
        settings=settings,
        guards=guards,
        dialogs=dialogs,
        replies=means.replies,
    )
    keys = Keys(
        accounts=means.accounts,
        previews=means.previews,
        questions=questions,
        replies=means.replies,
        dialogs=dialogs,
    )
    handlers: Sequence[Handler] = (
        StatusCard(accounts=means.accounts, previews=means.previews, cards=means.cards),
        about,
        keys,
        unclear,
        AlertsOf(
            accounts=means.accounts,
            alerting=Alerting(database=means.database, clock=means.clock),
            previews=means.previews,
            questions=questions,
            clock=means.clock,
        ),
        guards,
        settings,
        panel,
        BalanceOf(accounts=means.accounts, previews=means.previews, clock=means.clock),
        Why(
            accounts=means.accounts,
            previews=means.previews,
            situations=means.situations,
            database=means.database,
            clock=means.clock,
        ),
        History(accounts=means.accounts, database=means.database),
        Doctor(
            accounts=means.accounts,
            previews=means.previews,
            situations=means.situations,
            key_life=means.key_life,
            polls=means.polls,
            workload=means.workload,
            deliverability=means.deliverability,
            database=means.database,
            clock=means.clock,
        ),
        Export(accounts=means.accounts, database=means.database),
        ModeOf(
            accounts=means.accounts,
            modes=Modes(database=means.database, clock=means.clock),
            changing=changing,
            previews=means.previews,
            situations=means.situations,
            clock=means.clock,
        ),
        Deposits(accounts=means.accounts, changing=changing, questions=questions),
        Trading(
            accounts=means.accounts,
            previews=means.previews,
            situations=means.situations,
            questions=questions,
            overtaking=overtaking,
            clock=means.clock,
        ),
        PeopleOf(
            people=people,
            invitations=invitations,
            accounts=means.accounts,
            access=means.access,
            menus=means.menus,
            questions=questions,
            replies=means.replies,
            clock=means.clock,
        ),
        Trail(people=people, access=means.access),
    )
    desk = Desk(
        handlers=handlers,
        keys=keys,
        panel=panel,
        unclear=unclear,
        questions=questions,
        dialogs=dialogs,
    )
    gate = Gate(
        access=means.access,
        door=door,
        replies=means.replies,
        welcome=about.welcome,
        on_migrated=means.supergroups.migrate,
        clock=means.clock,
        database=means.database,
        deliverability=means.deliverability,
    )
    return gate, desk
