"""What the bot's owner must be told of the streams of a process."""

from dataclasses import dataclass
from datetime import datetime

from engine.domain.alerts.traits import AlertFacts, AlertKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessStreams(AlertFacts):
    """Half or more of a process's streams were lost together at *since*. *live* of them stand now,
    *of* the accounts that are to have one.
    """

    live: int
    of: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamsLost(ProcessStreams, stored_as="streams_lost", kind=AlertKind.ERROR):
    """They are lost still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamsBack(ProcessStreams, stored_as="streams_back", kind=AlertKind.RECOVERY):
    """They stand again, at *at*."""

    at: datetime


StreamAlert = StreamsLost | StreamsBack
