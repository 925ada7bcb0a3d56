"""Who may do what in a chat."""

from enum import Enum


class Role(Enum):
    """A viewer looks, a trader also changes settings and trades, an owner also decides who may.

    Each role may what the ones before it may.
    """

    VIEWER = "viewer"
    TRADER = "trader"
    OWNER = "owner"

    def covers(self, needed: "Role") -> bool:
        """Whether this role may do what *needed* may."""
        return _RANK[self] >= _RANK[needed]


_RANK = {role: rank for rank, role in enumerate(Role)}
