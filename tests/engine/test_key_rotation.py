"""Keys are rotated: killed anywhere it goes on, nobody's new key is overwritten, nothing is lost."""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from engine.maintenance import key_rotation
from engine.maintenance.key_rotation import Rotated, look_over, rotate
from engine.security.vault import Vault
from engine.storage.accounts import accounts
from engine.storage.chat import conversations
from engine.storage.chat.conversations import Conversation
from engine.storage.coordination import key_values
from engine.storage.database import Database
from engine.storage.maintenance import encrypted_columns
from engine.storage.models.accounts import AccountRow, ListenKeyRow
from engine.storage.queues import inbox
from engine.storage.queues.inbox import Sealed
from tests.builders import settings
from tests.engine.harness import Crash, Fuse
from tests.fakes.clock import START, FakeClock
from tests.fakes.database import WatchedDatabase
from tests.unit.test_architecture import calls_in, modules_of
from tests.unit.test_vault import FOREIGN_KEY, NEW_KEY, OLD_KEY

OLD, BOTH, NEW = Vault([OLD_KEY]), Vault([NEW_KEY, OLD_KEY]), Vault([NEW_KEY])
SECRET = "secret-{}"


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_rotation, "_BATCH", 2)


async def connect(database: Database, chat_id: int, vault: Vault, *, secret: str = "") -> int:
    async with database.writing() as session:
        account = await accounts.get_or_create(
            session, chat_id=chat_id, settings=settings(), now=START
        )
        token = vault.seal_credentials(
            api_key="key",
            api_secret=secret or SECRET.format(chat_id),
            account_uuid=account.uuid,
            chat_id=chat_id,
        )
        await accounts.store_key(
            session, account, sealed_key=token, key_tail="TAIL", key_print=str(chat_id)
        )
    return account.id


async def seal_everything(database: Database, vault: Vault, *, keys: int) -> None:
    for chat_id in range(1, keys + 1):
        await connect(database, chat_id, vault)
    async with database.writing() as session:
        await key_values.put(session, key_values.VAULT_CANARY, vault.canary())
        webhook = vault.seal_text("said by Telegram", purpose="webhook")
        await key_values.put(session, key_values.WEBHOOK_SECRET, webhook)
        for user_id in (1, 2, 3):
            asked = vault.seal_text("half a key", purpose="dialog")
            await conversations.put(
                session,
                Conversation(chat_id=1, user_id=user_id, kind="", sealed=asked, expires_at=START),
            )
        listening = vault.seal_text("listen key", purpose="stream")
        await session.merge(
            ListenKeyRow(
                account_id=1, sealed=listening, key_print="", created_at=START, extended_at=START
            )
        )
        waiting = [Sealed(n, 1, vault.seal_text("typed", purpose="inbox")) for n in (1, 2, 3)]
        await inbox.store(session, bot_id=1, updates=[*waiting, Sealed(4, 1, "")], now=START)


async def secrets(database: Database, vault: Vault) -> Sequence[str]:
    """What *vault* opens, in the order of accounts."""
    async with database.reading() as session:
        found = await accounts.with_key(session, after=0, most=100)
    return [
        vault.open_credentials(
            account.sealed_key or "", account_uuid=account.uuid, chat_id=account.chat_id
        ).api_secret
        for account in found
    ]


async def is_all_under(database: Database, vault: Vault) -> bool:
    async with database.reading() as session:
        tokens = [
            one.token
            for place in encrypted_columns.PLACES
            for one in await encrypted_columns.after(session, place, None, most=100)
        ]
    return bool(tokens) and not any(map(vault.under_first_key, tokens))


def resealed(rotated: Rotated) -> list[int]:
    return [count.resealed for count in rotated.counts.values()]


async def test_everything_sealed_goes_under_the_first_key_and_twice_is_once(database: Database):
    await seal_everything(database, OLD, keys=3)

    first = await rotate(database, BOTH)
    second = await rotate(database, BOTH)

    assert first.is_complete
    assert resealed(first) == [3, 1, 3, 3, 1, 1]
    assert second.is_complete
    assert resealed(second) == [0, 0, 0, 0, 0, 0]
    assert [count.kept for count in second.counts.values()] == [3, 1, 3, 3, 1, 1]
    assert await is_all_under(database, NEW)
    assert await secrets(database, NEW) == [SECRET.format(n) for n in (1, 2, 3)]


def test_every_column_that_holds_a_token_is_known():
    """Whoever seals something new has to say where it is kept: here, and in sealed.PLACES."""
    sealing = {
        module
        for module in modules_of("engine", "bot")
        for name, _ in calls_in(module)
        if name.endswith((".seal_text", ".seal_credentials"))
    }

    assert sealing == {
        "bot/interaction/conversations.py",
        "bot/updates/inbox.py",
        "bot/updates/webhook_secret.py",
        "engine/accounts/account_service.py",
        "engine/maintenance/backup_file.py",  # a file's chunks are under the key of their time
        "engine/accounts/chat_migration.py",
        "engine/exchanges/mexc/listen_keys/account_keys.py",
        "engine/security/vault.py",
    }


async def test_what_no_key_opens_is_named_and_left_as_it_is(database: Database):
    await seal_everything(database, OLD, keys=2)
    lost = await connect(database, 7, Vault([FOREIGN_KEY]))
    async with database.writing() as session:
        await session.execute(
            update(AccountRow).where(AccountRow.chat_id == 2).values(sealed_key="garbage")
        )
        garbled = await session.scalar(select(AccountRow.id).where(AccountRow.chat_id == 2))

    rotated = await rotate(database, BOTH)

    assert rotated.is_complete
    assert rotated.broken == 2
    assert rotated.broken_accounts == [garbled, lost]
    async with database.reading() as session:
        stored = await session.scalars(select(AccountRow.sealed_key).order_by(AccountRow.id))
        tokens = list(stored)
        keyring = await look_over(session, BOTH)
    assert tokens[1] == "garbage"
    assert Vault([FOREIGN_KEY]).under_first_key(tokens[2] or "") is None
    assert (keyring.keys, keyring.older, keyring.unreadable) == (3, 0, [garbled, lost])


async def test_a_key_connected_in_the_middle_of_it_stays_the_one_that_was_connected(
    database: Database, clock: FakeClock
):
    await seal_everything(database, OLD, keys=4)
    steps = 0

    async def somebody_connects(step: str) -> None:
        nonlocal steps
        if step == "write begins":
            steps += 1
            if steps == 1:
                await connect(database, 2, OLD, secret="renewed")

    watched = WatchedDatabase(database, clock, on_step=somebody_connects)

    rotated = await rotate(watched, BOTH)

    assert rotated.is_complete
    assert await secrets(database, NEW) == ["secret-1", "renewed", "secret-3", "secret-4"]


async def test_a_process_that_goes_on_with_the_old_key_is_noticed(
    database: Database, clock: FakeClock
):
    await seal_everything(database, OLD, keys=1)

    async def somebody_always_connects(step: str) -> None:
        if step == "committed":
            await connect(database, 1, OLD)

    watched = WatchedDatabase(database, clock, on_step=somebody_always_connects)

    rotated = await rotate(watched, BOTH)

    assert not rotated.is_complete
    assert (await rotate(database, BOTH)).is_complete


@given(
    blows=st.lists(
        st.tuples(st.sampled_from(["commit", "committed"]), st.integers(1, 8)), max_size=3
    )
)
@hypothesis_settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_killed_at_any_batch_it_goes_on_where_it_was(
    sqlite: Database, clock: FakeClock, blows: Iterable[tuple[str, int]]
):
    await seal_everything(sqlite, OLD, keys=5)
    for when, nth in blows:
        life = WatchedDatabase(sqlite, clock, on_step=Fuse(f"{when} {nth}"))
        try:
            await rotate(life, BOTH)
        except Crash:
            # Whatever it had come to: with both keys everything opens, and the canary is last.
            assert await secrets(sqlite, BOTH) == [SECRET.format(n) for n in range(1, 6)]
            async with sqlite.reading() as session:
                canary = await key_values.get(session, key_values.VAULT_CANARY)
            if NEW.knows(canary or ""):
                assert await is_all_under(sqlite, NEW)

    assert (await rotate(sqlite, BOTH)).is_complete
    assert await is_all_under(sqlite, NEW)
    assert await secrets(sqlite, NEW) == [SECRET.format(n) for n in range(1, 6)]
