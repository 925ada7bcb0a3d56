"""Listen keys at the fake MEXC: made once, left to the next process, deleted with the API key."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.observability.redaction import Redaction
from engine.domain.accounts.account import Account
from engine.errors import BadCredentials, EngineError, MissingPermission, RateLimited, Unavailable
from engine.exchanges.mexc.listen_keys.account_keys import ListenKeys
from engine.storage.database import Database
from engine.storage.models.accounts import ListenKeyRow
from tests import builders
from tests.engine.conftest import API_KEY
from tests.engine.harness import CHAT, Crash, Fuse
from tests.engine.listening import MINUTE, PATH, SECOND, VAULT, Host, one_account, until
from tests.fakes.clock import START, FakeClock
from tests.fakes.database import WatchedDatabase
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_books import Refused
from tests.fakes.mexc_faults import DROPPED, Fault, json_reply
from tests.fakes.tasks import running
from tests.sampling import long

ODD_KEYS = ["", "short", "a" * 129, "a" * 32 + "&b=1", "a" * 32 + "/", "ä" * 32, "a" * 32 + "\n"]
OTHER_KEY, OTHER_SECRET = "mx0otherKEY", "otherSECRET"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(manual=True)


@pytest.fixture
async def host(sqlite: Database, mexc: FakeMexc, clock: FakeClock) -> AsyncGenerator[Host]:
    async with one_account(sqlite, mexc, clock) as made:
        yield made


async def test_one_key_serves_every_connection_of_an_account_and_the_next_process(host: Host):
    account, first = await host.account(), host.process()

    key = await first.key_for(account, renew=False)
    host.clock.shift(50 * MINUTE)
    assert await first.key_for(account, renew=False) == key  # a connection beside the first
    assert await host.process().key_for(account, renew=False) == key  # after a crash

    assert host.valid == [key]
    assert host.requests("POST") == 1


async def test_it_is_stored_sealed_for_its_account(host: Host):
    account = await host.account()

    key = await host.process().key_for(account, renew=False)
    stored = await host.stored(account)

    assert stored is not None
    assert key not in repr(stored)
    assert key not in stored.sealed
    assert VAULT.open_text(stored.sealed, purpose=f"listen key of {account.uuid}") == key


@pytest.mark.parametrize(
    "spoilt",
    [
        {"extended_at": START - 55 * MINUTE},
        {"extended_at": START + MINUTE},  # by a wall clock that was wrong
        {"key_print": "of another API key"},
        {"sealed": "garbage"},
    ],
)
async def test_a_stored_key_that_may_not_be_valid_is_replaced(
    host: Host, spoilt: dict[str, object]
):
    account = await host.account()
    old = await host.process().key_for(account, renew=False)
    async with host.database.writing() as session:
        await session.execute(update(ListenKeyRow).values(spoilt))

    new = await host.process().key_for(account, renew=False)

    assert new != old
    assert await host.process().key_for(account, renew=False) == new


async def test_a_key_in_doubt_is_replaced_and_deleted(host: Host):
    account, keys = await host.account(), host.process()
    old = await keys.key_for(account, renew=False)

    new = await keys.key_for(account, renew=True)

    assert new != old
    assert host.valid == [new]


async def test_where_mexc_gives_the_same_key_again_it_is_kept(host: Host):
    host.mexc.listen_keys.same_again = True
    account, keys = await host.account(), host.process()
    old = await keys.key_for(account, renew=False)

    assert await keys.key_for(account, renew=True) == old
    assert host.valid == [old]
    assert host.requests("DELETE") == 0


@pytest.mark.parametrize("same_again", [False, True])
async def test_of_two_processes_that_make_a_key_both_use_the_first_one_stored(
    host: Host, same_again: bool
):
    host.mexc.listen_keys.same_again = same_again
    account = await host.account()
    host.mexc.inject(Fault("POST", PATH, answer_delay=SECOND / 10, times=2))

    used = await asyncio.gather(*(host.process().key_for(account, renew=False) for _ in range(2)))

    assert used[0] == used[1]
    assert host.valid == [used[0]]


async def test_it_is_extended_and_the_next_process_knows(host: Host):
    account, keys = await host.account(), host.process()
    key = await keys.key_for(account, renew=False)

    async with running(keys.run()):
        host.clock.shift(29 * MINUTE)
        await until(lambda: host.requests("PUT") == 1, host.clock)
        await until(lambda: keys.oldest_age() < MINUTE, host.clock)
        keys.release(account.id)  # another process has the account
        host.clock.shift(40 * MINUTE)
        await host.clock.advance(SECOND)

    assert host.requests("PUT") == 1
    assert await host.process().key_for(account, renew=False) == key
    assert keys.oldest_age() == timedelta()


@pytest.mark.parametrize(
    "answer", [{}, {"code": 0}, {"code": 200, "msg": "success"}, {"listenKey": "a" * 64}, [], None]
)
async def test_any_answer_to_an_extension_but_a_complaint_is_a_yes(host: Host, answer: object):
    host.mexc.listen_keys.answers_put = lambda _key: answer
    account, keys = await host.account(), host.process()
    await keys.key_for(account, renew=False)

    async with running(keys.run()):
        host.clock.shift(31 * MINUTE)
        await until(lambda: keys.oldest_age() < MINUTE, host.clock)

    assert host.doubts == []


@pytest.mark.parametrize("code", [730708, "730708"], ids=["number", "text"])
async def test_an_unknown_key_is_in_doubt_and_the_next_stream_has_a_new_one(
    host: Host, code: object
):
    account, keys = await host.account(), host.process()
    old = await keys.key_for(account, renew=False)
    unknown = json_reply({"code": code, "msg": "listen key information error"}, status=400)
    host.mexc.inject(Fault("PUT", PATH, reply=unknown))

    async with running(keys.run()):
        host.clock.shift(31 * MINUTE)
        await until(lambda: host.doubts == [account.id], host.clock)

    assert await keys.key_for(account, renew=False) != old


async def test_a_refused_key_is_asked_for_again_after_ten_minutes(
    host: Host, caplog: pytest.LogCaptureFixture
):
    for _ in range(60):
        host.mexc.listen_keys.make(host.mexc.ledger.accounts[API_KEY], {})
    account, keys = await host.account(), host.process()

    for _ in range(9):
        with pytest.raises(Unavailable):
            await keys.key_for(account, renew=False)
        host.clock.shift(MINUTE)
    assert (host.requests("POST"), host.requests("GET")) == (1, 1)
    assert host.requests("DELETE") == 0  # they are not ours
    [told] = [record for record in caplog.records if record.message == "listen key refused"]
    assert told.__dict__["valid"] == 60

    host.clock.shift(55 * MINUTE)
    assert await keys.key_for(account, renew=False) in host.valid


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (Refused(10072, "Api key info invalid"), BadCredentials),
        (Refused(700007, "No permission to access the endpoint."), MissingPermission),
    ],
)
async def test_who_may_not_have_a_key_is_told_so(
    host: Host, refusal: Refused, error: type[EngineError]
):
    account = await host.account()
    host.mexc.ledger.accounts[API_KEY].refused = refusal

    with pytest.raises(error):
        await host.process().key_for(account, renew=False)
    assert await host.stored(account) is None


async def test_a_loop_of_ours_does_not_use_up_the_keys(host: Host):
    account, keys = await host.account(), host.process()
    host.mexc.inject(Fault("POST", PATH, reply=DROPPED, executes=True, times=None))

    for _ in range(60):
        with suppress(Unavailable):
            await keys.key_for(account, renew=True)
        host.clock.shift(10 * SECOND)

    assert host.requests("POST") == 3


async def test_what_a_cool_down_refused_does_not_count(host: Host):
    account, keys = await host.account(), host.process()
    silent = json_reply({"code": 429}, status=429, headers={"Retry-After": "120"})
    host.mexc.inject(Fault("POST", PATH, reply=silent))

    for _ in range(12):
        with pytest.raises(RateLimited):
            await keys.key_for(account, renew=False)
        host.clock.shift(9 * SECOND)
    host.clock.shift(12 * SECOND)

    assert await keys.key_for(account, renew=False) in host.valid
    assert host.requests("POST") == 2


@pytest.mark.parametrize(
    "answer",
    [{}, [], {"listenKey": None}, {"listenKey": 12}, *({"listenKey": odd} for odd in ODD_KEYS)],
    ids=str,
)
async def test_what_could_not_stand_in_an_address_is_no_key(host: Host, answer: object):
    account = await host.account()
    host.mexc.inject(Fault("POST", PATH, reply=json_reply(answer)))

    with pytest.raises(Unavailable):
        await host.process().key_for(account, renew=False)
    assert await host.stored(account) is None


async def test_in_a_cool_down_nothing_is_sent(host: Host):
    account, keys = await host.account(), host.process()
    await keys.key_for(account, renew=False)
    silent = json_reply({"code": 429}, status=429, headers={"Retry-After": "120"})
    host.mexc.inject(Fault("PUT", PATH, reply=silent))

    async with running(keys.run()):
        host.clock.shift(31 * MINUTE)
        await until(lambda: host.requests("PUT") == 1, host.clock)
        seen = host.clock.steady()
        with pytest.raises(RateLimited):
            await keys.key_for(account, renew=True)
        await until(lambda: host.requests("PUT") == 2, host.clock)

    assert host.clock.steady() - seen >= 119 * SECOND
    assert host.requests("POST") == 1


@asynccontextmanager
async def given_up(host: Host, how: str) -> AsyncGenerator[tuple[Account, ListenKeys]]:
    """After the block the account's API key is used no more."""
    account, keys = await host.account(), host.process()
    await keys.key_for(account, renew=False)
    yield account, keys
    service = host.service(keys)
    match how:
        case "disconnect":
            await service.disconnect(CHAT, user_id=1, key_tail=API_KEY[-4:])
            assert (await host.account()).sealed_key is None
        case "connect":
            host.mexc.add_account(OTHER_KEY, OTHER_SECRET, USDT="50", MNTL="1")
            await service.connect(CHAT, user_id=1, api_key=OTHER_KEY, api_secret=OTHER_SECRET)
        case _:
            service._exchange_for = lambda _account: _Held()  # type: ignore[assignment,return-value]
            await service.dry_run(CHAT, user_id=1, on=True)


class _Held:
    async def holdings(self) -> object:
        return builders.holdings()


@pytest.mark.parametrize("how", ["disconnect", "connect", "paper"])
async def test_with_the_api_key_its_listen_key_goes(host: Host, how: str):
    async with given_up(host, how) as (account, keys):
        pass

    assert host.valid == []
    assert await host.stored(account) is None
    assert keys.oldest_age() == timedelta()


async def test_another_process_deletes_it_too(host: Host):
    account, keys = await host.account(), host.process()
    await keys.key_for(account, renew=False)

    await host.service(host.process()).disconnect(CHAT, user_id=1, key_tail=API_KEY[-4:])

    assert host.valid == []


@pytest.mark.parametrize("hang", [long(True), False], ids=["no answer", "no connection"])
async def test_a_key_that_cannot_be_deleted_does_not_keep_the_api_key(host: Host, hang: bool):
    async with given_up(host, "disconnect") as (account, _):
        host.mexc.inject(Fault("DELETE", PATH, hang=hang, reply=None if hang else DROPPED))

    assert len(host.valid) == 1  # until its hour is over
    assert await host.stored(account) is None


async def test_a_key_made_while_the_account_is_disconnected_is_not_left(host: Host):
    account, keys = await host.account(), host.process()
    host.mexc.inject(Fault("POST", PATH, answer_delay=SECOND / 10))

    async with asyncio.TaskGroup() as tasks:
        opening = tasks.create_task(_refused(keys, account))
        await until(lambda: host.requests("POST") == 1, host.clock)
        await host.service(host.process()).disconnect(CHAT, user_id=1, key_tail=API_KEY[-4:])
    assert await opening

    assert host.requests("POST") == 1
    assert host.valid == []
    assert await host.stored(account) is None


async def _refused(keys: ListenKeys, account: Account) -> bool:
    with suppress(Unavailable):
        await keys.key_for(account, renew=False)
        return False
    return True


@pytest.mark.parametrize("when", ["write begins 1", "commit 1", "committed 1"])
@pytest.mark.parametrize("revokes", [False, True], ids=["made", "deleted"])
async def test_killed_at_any_step_it_leaves_one_key_behind_at_most(
    host: Host, when: str, revokes: bool
):
    account = await host.account()
    if revokes:
        await host.process().key_for(account, renew=False)
    watched = WatchedDatabase(host.database, host.clock, on_step=Fuse(when))

    with pytest.raises(Crash):
        if revokes:
            await host.process(watched).revoke(account)
        else:
            await host.process(watched).key_for(account, renew=False)
    left = len(host.valid)
    key = await host.process().key_for(account, renew=False)

    assert left == 1
    assert key in host.valid
    assert len(host.valid) <= 2


async def test_no_failure_shows_a_key_or_an_address_with_one(
    host: Host, caplog: pytest.LogCaptureFixture
):
    """Every failure of a request, at DEBUG; what MEXC says may quote what it was asked."""
    caplog.set_level(logging.DEBUG)
    account, keys = await host.account(), host.process()
    said: list[str] = []
    key = await keys.key_for(account, renew=False)
    for reply in (
        DROPPED,
        json_reply({"code": "730708", "msg": f"{key} is unknown"}, status=400),
        json_reply({"code": 500, "msg": f"?listenKey={key}"}, status=500),
        json_reply({"code": 500, "msg": "x" * 160 + key}, status=500),
        json_reply({"listenKey": [key]}, status=400),
    ):
        for method in ("PUT", "DELETE"):
            host.mexc.inject(Fault(method, PATH, reply=reply))
            credentials = keys._credentials(account)
            ask = keys._requests.delete
            try:
                if method == "PUT":
                    await keys._requests.extend(key, credentials, urgently=True)
                else:
                    await ask(key, credentials)
            except EngineError as e:
                said += [str(e), repr(e), repr(e.__cause__)]
    kept = keys._keeper.of(account.id)

    shown = [*said, repr(kept), repr(replace(keys._credentials(account), listen_key=key))]
    assert len(said) == 30
    text = "\n".join([*shown, caplog.text, *(str(r.__dict__) for r in caplog.records)])
    assert key[:8] not in text


@pytest.mark.parametrize(
    "text",
    [
        "wss://host/ws?listenKey={}",
        "url=URL('wss://host/ws?a=1&listenKey={}')",
        "{{'listenKey': '{}'}}",
        '{{"listenKey":["{}"]}}',
        "listenKey%3D{}&x",
        "a key {} alone",
    ],
)
def test_a_listen_key_is_hidden_in_logs_and_reports(text: str):
    key = "0123456789abcdef" * 4

    assert key not in Redaction([])(text.format(key))
    assert "***" in Redaction([])(text.format(key))
