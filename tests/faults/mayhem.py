"""What befalls a fleet by chance: a story that its seed tells again, as far as real time allows."""

import os
import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from engine.clock import SystemClock
from tests.e2e.world import ORDER
from tests.fakes.mexc_faults import DROPPED, Fault
from tests.faults.fleet import Fleet, Member, Person

SOAKING = bool(os.getenv("SOAK"))

_DRIFTS = ("7.30", "11.90", "-6.10", "16.40", "-9.70", "5.20")
_SHORTEST, _LONGEST = timedelta(milliseconds=150), timedelta(seconds=8)


class Mayhem:
    """*tally* counts what happened."""

    def __init__(self, fleet: Fleet, dice: random.Random) -> None:
        self._fleet = fleet
        self._dice = dice
        self._clock = SystemClock()
        self._amends: list[tuple[datetime, Member, Callable[[], None]]] = []
        self.tally: Counter[str] = Counter()

    async def reign(self, people: Sequence[Person], duration: timedelta) -> None:
        """For so long; in the end every process that lives is well again."""
        over_at = self._clock.now() + duration
        while (now := self._clock.now()) < over_at:
            self._make_amends(due_by=now)
            await self._strike(people)
            await self._clock.sleep(self._dice.uniform(1, 4) * _SHORTEST)
        self._make_amends(due_by=over_at + _LONGEST)

    async def _strike(self, people: Sequence[Person]) -> None:
        blow = self._dice.choices(
            (self._drift, self._freeze, self._cut_off, self._throw_out, self._lose_an_answer),
            (8, 2, 2, 2, 1),
        )[0]
        member, person = self._dice.choice(self._well()), self._dice.choice(people)
        blow(member, person)
        if self._dice.random() < 1 / 12:
            await self._kill(self._dice.choice(self._well()))

    def _drift(self, _: Member, person: Person) -> None:
        if not person.is_on_target:  # money that goes when none is left would be no drift
            return
        self.tally["drifts"] += 1
        self._fleet.drift(person, self._dice.choice(_DRIFTS))

    def _freeze(self, member: Member, _: Person) -> None:
        if len(self._well()) > 1:
            self.tally["freezes"] += 1
            member.freeze()
            self._later(member, member.thaw)

    def _cut_off(self, member: Member, _: Person) -> None:
        if len(self._well()) > 1:
            self.tally["partitions"] += 1
            member.cut_off()
            self._later(member, member.reconnect)

    def _throw_out(self, member: Member, _: Person) -> None:
        self.tally["thrown out by the database"] += 1
        member.disconnect()

    def _lose_an_answer(self, _: Member, __: Person) -> None:
        self.tally["answers lost"] += 1
        self._fleet.world.mexc.inject(Fault(*ORDER, reply=DROPPED, executes=True))

    async def _kill(self, member: Member) -> None:
        """At a host that puts another in its place."""
        self.tally["kills"] += 1
        await member.program.kill()
        await self._fleet.start()

    def _well(self) -> list[Member]:
        """Who lives and suffers nothing at the moment."""
        suffering = [member for _, member, _ in self._amends]
        living = [member for member in self._fleet.members if member.program.is_alive]
        return [member for member in living if member not in suffering]

    def _later(self, member: Member, amends: Callable[[], None]) -> None:
        pause = self._dice.uniform(0.05, 1) * _LONGEST
        self._amends.append((self._clock.now() + pause, member, amends))

    def _make_amends(self, *, due_by: datetime) -> None:
        for entry in [entry for entry in self._amends if entry[0] <= due_by]:
            self._amends.remove(entry)
            entry[2]()
