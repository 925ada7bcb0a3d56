"""What the screens show of an account's stream."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from engine.domain.market.pairs import Asset
from engine.domain.streams.events import Amounts
from engine.domain.streams.trust import LIVE, StreamState


@dataclass(frozen=True, slots=True)
class LiveStanding:
    """How far an account's stream is, and what it told last, to show and never to trade on:
    *told_at* by the steady clock, None where it told nothing. *is_behind*: what was read last lacked
    it.
    """

    state: StreamState
    known: Mapping[Asset, Amounts] = field(default_factory=dict)
    told_at: datetime | None = None
    is_behind: bool = False

    @property
    def is_live(self) -> bool:
        """True if what it tells is believed: balances that were read agree."""
        return self.state in LIVE and not self.is_behind
