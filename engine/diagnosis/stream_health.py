"""How the stream of an account is, for `/doctor`: why it has none, or whether it is believed."""

from dataclasses import dataclass
from datetime import timedelta

from engine.domain.accounts.account import Account
from engine.domain.streams.trust import StreamsOff, StreamState
from engine.errors import Rejected
from engine.streaming.fleet import Fleet
from engine.streaming.live_accounts import LiveAccounts
from engine.streaming.standing import LiveStanding


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamHealth:
    """The stream of an account that this process checks, *every* so often all the same. *off* is why
    no account has one here, *refused* why the exchange gave the account's key none. *is_full*: no
    more accounts may have one here; without *is_welcome* the exchange takes no more for a while.
    """

    every: timedelta
    standing: LiveStanding | None = None
    off: StreamsOff | None = None
    refused: Rejected | None = None
    is_full: bool = False
    is_welcome: bool = True

    @property
    def is_live(self) -> bool:
        return self.standing is not None and self.standing.is_live

    @property
    def is_doubted(self) -> bool:
        return self.standing is not None and self.standing.state is StreamState.SUSPECT


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamProbe:
    live: LiveAccounts
    fleet: Fleet
    off: StreamsOff | None

    def of(self, account: Account) -> StreamHealth:
        return StreamHealth(
            every=self.live.interval(account.id, account.settings.interval),
            standing=self.live.standing(account.id),
            off=self.off,
            refused=self.fleet.refusal(account.id),
            is_full=self.fleet.is_full,
            is_welcome=self.fleet.is_adding,
        )
