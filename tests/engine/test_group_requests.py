"""A group that wants to see an account: one group a link, one answer, and only its owner's."""

import asyncio
from datetime import timedelta

from sqlalchemy import select

from engine.domain.accounts.confirmation import Refusal, RefusalReason
from engine.domain.accounts.members import Role
from engine.domain.accounts.shares import Share, ShareLink
from engine.domain.alerts.shared_alerts import GroupAnswered, GroupAsks
from engine.membership.group_requests import GroupRequests
from engine.membership.sharing import Redeemed
from engine.security.one_time_codes import hash_of
from engine.storage.accounts import accounts, share_links, shares
from engine.storage.chat import status_messages
from engine.storage.chat.status_messages import StatusMessage
from engine.storage.models.chat import ConfirmationRow, StatusMessageRow
from tests import builders
from tests.engine.harness import Engine

GROUP, CLUB, MIA, CODE = -5005, -6006, 2001, "the-code"


async def a_link(engine: Engine, role: Role = Role.TRADER) -> None:
    account = await engine.open_account()
    now = engine.clock.now()
    link = ShareLink(
        account_id=account.id,
        role=role,
        made_by=account.chat_id,
        expires_at=now + timedelta(hours=24),
    )
    async with engine.database.writing() as session:
        await share_links.add(session, link, code_hash=hash_of(CODE), now=now)


async def asked(engine: Engine, group: int = GROUP) -> Redeemed:
    requests = GroupRequests(database=engine.database, clock=engine.clock)
    return await requests.ask(CODE, chat_id=group, title="The Club", user_id=MIA, name="Mia")


async def answered(
    engine: Engine, *, yes: bool, user_id: int | None = None
) -> tuple[Redeemed | None, str] | Refusal:
    async with engine.database.reading() as session:
        question = await session.scalar(select(ConfirmationRow))
    assert question is not None
    return await GroupRequests(database=engine.database, clock=engine.clock).answer(
        question.id,
        chat_id=question.chat_id,
        user_id=user_id or question.user_id,
        message_id=1,
        yes=yes,
    )


async def share_of(engine: Engine, group: int = GROUP) -> Share | None:
    async with engine.database.reading() as session:
        return await shares.of_chat(session, group)


async def test_two_groups_that_send_one_link_at_once_ask_the_owner_once(engine_on_both: Engine):
    engine = engine_on_both
    await a_link(engine)

    results = await asyncio.gather(asked(engine, GROUP), asked(engine, CLUB))

    assert set(results) == {Redeemed.IN_GROUP, Redeemed.USED}
    assert len(await engine.alerts_of(GroupAsks)) == 1


async def test_the_owners_yes_counts_once_and_lets_the_group_see_the_account(
    engine_on_both: Engine,
):
    engine = engine_on_both
    await a_link(engine)
    await asked(engine)
    await asked(engine)  # sent again: no second question
    by_another = await answered(engine, yes=True, user_id=MIA)

    results = await asyncio.gather(answered(engine, yes=True), answered(engine, yes=True))
    share = await share_of(engine)

    assert isinstance(by_another, Refusal)
    assert by_another.why is RefusalReason.FOREIGN
    assert (Redeemed.JOINED, "The Club") in results
    assert [one.why for one in results if isinstance(one, Refusal)] == [RefusalReason.USED]
    assert share is not None
    assert (share.role, share.user_id, share.name) == (Role.TRADER, MIA, "The Club")
    assert await asked(engine) is Redeemed.ALREADY
    assert [one.is_admitted for one in await engine.alerts_of(GroupAnswered)] == [True]


async def test_a_no_uses_the_link_up_and_the_group_is_told(engine: Engine):
    await a_link(engine)
    await asked(engine)

    result = await answered(engine, yes=False)

    assert result == (None, "The Club")
    assert await share_of(engine) is None
    assert await asked(engine) is Redeemed.EXPIRED
    assert [one.is_admitted for one in await engine.alerts_of(GroupAnswered)] == [False]


async def test_a_yes_to_a_link_that_was_withdrawn_lets_nobody_in(engine: Engine):
    await a_link(engine)
    await asked(engine)
    account = await engine.only_account()
    async with engine.database.writing() as session:
        await share_links.void(session, account.id, now=engine.clock.now())

    assert await answered(engine, yes=True) == (Redeemed.EXPIRED, "The Club")
    assert await share_of(engine) is None


async def test_a_group_with_a_key_of_its_own_by_now_is_not_let_in(engine: Engine):
    await a_link(engine)
    await asked(engine)
    async with engine.database.writing() as session:
        own = await accounts.get_or_create(
            session, chat_id=GROUP, settings=builders.settings(), now=engine.clock.now()
        )
        await accounts.store_key(
            session, own, sealed_key="sealed", key_tail="ZZ99", key_print="another"
        )

    assert await answered(engine, yes=True) == (Redeemed.OWN_KEY, "The Club")
    assert await asked(engine) is Redeemed.EXPIRED
    assert await share_of(engine) is None


async def test_a_group_with_a_key_of_its_own_is_not_asked_about(engine: Engine):
    await a_link(engine)
    await engine.open_account(GROUP)

    assert await asked(engine) is Redeemed.OWN_KEY
    assert await engine.alerts_of(GroupAsks) == []


async def test_cards_of_an_account_are_found_and_hurried_in_all_chats_that_see_it(
    engine_on_both: Engine,
):
    engine = engine_on_both
    await a_link(engine)
    await asked(engine)
    await answered(engine, yes=True)
    owner, now = (await engine.only_account()).chat_id, engine.clock.now()
    await engine.open_account(CLUB)
    async with engine.database.writing() as session:
        for chat_id in (owner, GROUP, CLUB):
            card = StatusMessage(chat_id=chat_id, message_id=9)
            await status_messages.put(session, card, next_edit_at=now + timedelta(minutes=1))
    async with engine.database.writing() as session:
        await status_messages.hurry_others(session, but_not=GROUP, at=now)
        due = await status_messages.claim(
            session, owner=engine.owner, now=now, pause=timedelta(minutes=1), most=10
        )
        found = await status_messages.of_owner(session, owner=engine.owner)

    assert list(due) == [owner]
    assert list(found) == sorted([owner, GROUP, CLUB])


async def test_a_group_that_is_admitted_keeps_no_card_of_what_it_saw_before(engine: Engine):
    await a_link(engine)
    await asked(engine)
    async with engine.database.writing() as session:
        session.add(
            StatusMessageRow(
                chat_id=GROUP,
                message_id=9,
                pinned=False,
                shown="",
                next_edit_at=engine.clock.now(),
            )
        )

    await answered(engine, yes=True)

    async with engine.database.reading() as session:
        assert await session.scalar(select(StatusMessageRow)) is None
