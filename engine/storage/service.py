"""Base of the classes whose methods each work in transactions of their own."""

from engine.clock import Clock
from engine.storage.database import Database


class Service:
    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
