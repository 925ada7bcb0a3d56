"""Builds what checks the accounts: the dispatcher, and the streams that say whom to check when."""

from dataclasses import dataclass

from bot.runtime.exchange_setup import ExchangeSetup
from engine.clock import Clock
from engine.rebalancing.checker import Checker
from engine.scheduling.account_queue import Line
from engine.scheduling.dispatcher import Dispatcher
from engine.storage.database import Database
from engine.streaming.fleet import Fleet
from engine.streaming.following import Streams
from engine.streaming.live_accounts import LiveAccounts


@dataclass(frozen=True, slots=True)
class Checking:
    dispatcher: Dispatcher
    fleet: Fleet
    live: LiveAccounts


def checking(*, setup: ExchangeSetup, database: Database, clock: Clock, owner: str) -> Checking:
    """*owner* is the process's name in the leases."""
    live = LiveAccounts(clock)
    fleet = Fleet(clock=clock, live=live, streams_for=setup.streams_for, most=setup.most_streams)
    streams = Streams(fleet, setup.prices)
    dispatcher = Dispatcher(
        database=database,
        clock=clock,
        timing=setup.timing,
        checker=Checker(
            database=database,
            clock=clock,
            timing=setup.timing,
            exchange_for=setup.exchange_for,
            owner=owner,
            live=live,
        ),
        owner=owner,
        poll_interval=live.interval,
        streams=streams,
    )
    live.prices_are_live = streams.prices_are_live
    live.on_due = lambda account_id, at: dispatcher.wake(account_id, at=at)
    live.on_reread = lambda account_id, at: dispatcher.wake(account_id, at=at, line=Line.POLLED)
    if setup.prices is not None:
        setup.prices.on_due = live.on_due
    return Checking(dispatcher, fleet, live)
