"""The owner's alerts of streams that were lost together, and of their return."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.interaction.message import Message
from bot.views.components.badges import RECOVERED, TROUBLE
from bot.views.components.times import roughly, utc
from engine.domain.alerts.stream_alerts import StreamsBack, StreamsLost


def streams_lost_view(alert: StreamsLost) -> Message:
    return Message.of(
        f"{TROUBLE} STREAMS · {alert.of - alert.live:,} of {alert.of:,} lost",
        "MEXC does not tell me at once what changes in those accounts.",
        "Trading goes on: I notice a change at the next check.",
        f"The streams were lost together at {utc(alert.since)}.",
        "I connect again by myself, and tell you when they are back.",
        "If it lasts: look at this machine's network, and at MEXC_PROXY if it is set.",
    )


def streams_back_view(alert: StreamsBack) -> Message:
    return Message.of(
        f"{RECOVERED} STREAMS · {alert.live:,} of {alert.of:,} live again",
        "MEXC tells me at once again what changes in those accounts.",
        f"The streams were away for {roughly(alert.at - alert.since)}.",
        "I read each account again when its stream comes back.",
    )


STREAM_VIEWS: Mapping[type[Any], Callable[[Any], Message]] = {
    StreamsLost: streams_lost_view,
    StreamsBack: streams_back_view,
}
