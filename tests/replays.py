"""Replays each order that any test of this process writes down, in the moment it does."""

from typing import Any

from sqlalchemy import event

from engine.domain.rebalancing.leg_order import ReplayedLeg
from engine.domain.rebalancing.replay import Replayed
from engine.storage.models.trading import OrderRow
from engine.storage.trading import orders

# The orders whose inputs gave another plan, or none, since this was emptied last.
differing: list[str] = []


@event.listens_for(OrderRow, "after_insert")
def _replay(_mapper: Any, _connection: Any, row: OrderRow) -> None:
    """An order that a test made up by itself has no inputs."""
    if row.inputs is None:
        return
    replay = orders.replay_of(orders.intent_of(row), row.inputs)
    if not (isinstance(replay, Replayed | ReplayedLeg) and replay.is_same):
        differing.append(f"{row.client_order_id}: {row.inputs}")
