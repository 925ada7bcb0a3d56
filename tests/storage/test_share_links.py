"""A link lets one bearer see an account, and a chat sees one account: its own, or a shared one."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from engine.domain.accounts.account import Account
from engine.domain.accounts.members import Role
from engine.domain.accounts.shares import Share, SharedAlerts, ShareLink
from engine.domain.orders.order import AccountId
from engine.storage.accounts import accounts, share_links, shares
from engine.storage.database import Database
from tests.builders import settings
from tests.fakes.clock import START

DAY = timedelta(days=1)


async def opened(database: Database, chat_id: int) -> Account:
    async with database.writing() as session:
        return await accounts.get_or_create(
            session, chat_id=chat_id, settings=settings(), now=START
        )


def share(account: Account, chat_id: int) -> Share:
    return Share(
        chat_id=chat_id,
        account_id=account.id,
        role=Role.TRADER,
        user_id=chat_id,
        name="Anna",
        shared_by=account.chat_id,
        created_at=START,
    )


def link(account_id: AccountId) -> ShareLink:
    return ShareLink(account_id=account_id, role=Role.VIEWER, made_by=1, expires_at=START + DAY)


async def test_a_chat_sees_the_shared_account_in_place_of_its_own(database: Database):
    theirs, own = await opened(database, 1), await opened(database, 2)
    async with database.writing() as session:
        await shares.add(session, share(theirs, 2))
        await shares.add(session, share(theirs, 3))

    async with database.writing() as session:
        seen = {chat: await accounts.acting_for(session, chat) for chat in (1, 2, 3, 4)}
        await shares.set_alerts(session, 2, SharedAlerts.OFF)
        await shares.remove(session, 3)
        left = await shares.of_account(session, theirs.id, for_update=True)
        after = await accounts.acting_for(session, 3)
        still_own = await accounts.of_chat(session, 2)

    assert {chat: one.id for chat, one in seen.items() if one} == dict.fromkeys(
        (1, 2, 3), theirs.id
    )
    assert left == [replace(share(theirs, 2), alerts=SharedAlerts.OFF)]
    assert after is None
    assert still_own is not None
    assert still_own.id == own.id


async def test_a_chat_sees_no_second_shared_account(database: Database):
    first, second = await opened(database, 1), await opened(database, 2)
    async with database.writing() as session:
        await shares.add(session, share(first, 3))

    with pytest.raises(IntegrityError):
        async with database.writing() as session:
            await shares.add(session, share(second, 3))


async def test_a_link_is_used_once_and_not_after_it_was_withdrawn(database: Database):
    account = await opened(database, 1)
    async with database.writing() as session:
        for name in ("a", "b"):
            await share_links.add(session, link(account.id), code_hash=name, now=START)
        used = [await share_links.use(session, "a", user_id=n, now=START) for n in (7, 8)]
        is_open = await share_links.is_any_open(session, now=START)
        voided = [await share_links.void(session, account.id, now=START) for _ in range(2)]
        found = [await share_links.find(session, name, for_update=True) for name in "abc"]
        is_open_after = await share_links.is_any_open(session, now=START)

    assert (used, voided) == ([True, False], [True, False])
    assert (is_open, is_open_after) == (True, False)
    assert found[0] == replace(link(account.id), used_by=7, used_at=START)
    assert found[1] is not None
    assert not found[1].is_open(START)
    assert found[2] is None


async def test_a_link_waits_for_one_group_which_keeps_it_under_its_new_id(database: Database):
    account = await opened(database, 1)
    async with database.writing() as session:
        await share_links.add(session, link(account.id), code_hash="a", now=START)
        await shares.add(session, share(account, -1))
        kept = [
            await share_links.request(
                session, "a", chat_id=chat, user_id=7, name="Anna", title="We", now=START
            )
            for chat in (-1, -2)
        ]
        for what in (shares, share_links):
            await what.move(session, old=-1, new=-100)
        found = await share_links.find(session, "a")
        seen = [await shares.of_chat(session, chat) for chat in (-1, -100)]

    assert kept == [True, False]
    assert found is not None
    assert (found.requested_chat, found.title) == (-100, "We")
    assert [one and one.chat_id for one in seen] == [None, -100]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.TRADER])
def test_nobody_gets_more_of_a_shared_account_than_it_was_shared_for(role: Role):
    private = Share(
        chat_id=7,
        account_id=AccountId(1),
        role=role,
        user_id=7,
        name="",
        shared_by=1,
        created_at=START,
    )
    group = replace(private, chat_id=-1)

    assert private.role_of(7, Role.OWNER) is role
    assert private.role_of(8, Role.OWNER) is None
    assert [group.role_of(7, None), group.role_of(8, Role.OWNER)] == [role, role]
    assert [group.role_of(8, one) for one in (None, Role.VIEWER)] == [Role.VIEWER] * 2
    assert group.role_of(1, None) is Role.TRADER  # it is theirs
