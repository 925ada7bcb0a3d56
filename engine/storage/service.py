"""Base of the classes whose methods each work in transactions of their own."""

from dataclasses import dataclass

from engine.clock import Clock
from engine.storage.database import Database


@dataclass(eq=False, kw_only=True, repr=False)
class Service:
    """Has a database and a clock; a subclass adds what else it needs as fields."""

    database: Database
    clock: Clock
