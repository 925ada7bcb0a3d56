"""Roles and invitations where the database has to hold them together: several processes at once."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.domain.accounts.members import ChatMembers, Role, RoleChangeResult
from engine.membership.invitations import Admitted, Invitations
from engine.membership.members import MemberService
from engine.storage.accounts import members
from engine.storage.models.accounts import AuditRow
from tests.engine.harness import Engine

GROUP, ANNA, BEN, CARL = -5005, 2001, 2002, 2003
CIRCLE = ChatMembers(chat_id=GROUP, standing={}, bot_owner=None)


async def nobody(chat_id: int, user_id: int) -> Role | None:
    return None


def invitations_of(engine: Engine) -> Invitations:
    return Invitations(database=engine.database, clock=engine.clock, standing=nobody)


def people_of(engine: Engine) -> MemberService:
    return MemberService(database=engine.database, clock=engine.clock)


async def admit(engine: Engine, **roles: Role) -> None:
    ids = {"anna": ANNA, "ben": BEN, "carl": CARL}
    async with engine.database.writing() as session:
        for name, role in roles.items():
            await members.admit(
                session,
                chat_id=GROUP,
                user_id=ids[name],
                role=role,
                name=name,
                now=engine.clock.now(),
            )


async def roles(engine: Engine) -> dict[int, Role]:
    return {member.user_id: member.role for member in await people_of(engine).of(CIRCLE)}


async def change(
    engine: Engine, by: int, whom: int, wanted: Role | None, *, seen: Role = Role.OWNER
) -> RoleChangeResult:
    return await people_of(engine).change_role(
        CIRCLE, user_id=by, member_id=whom, expected=seen, wanted=wanted
    )


@pytest.mark.parametrize("wanted", [None, Role.VIEWER])
async def test_two_owners_who_put_each_other_out_at_once_leave_one(
    engine_on_both: Engine, wanted: Role | None
):
    await admit(engine_on_both, anna=Role.OWNER, ben=Role.OWNER)

    verdicts = await asyncio.gather(
        change(engine_on_both, ANNA, BEN, wanted), change(engine_on_both, BEN, ANNA, wanted)
    )

    assert sorted(verdict.name for verdict in verdicts) == ["DONE", "NOT_ALLOWED"]
    assert list((await roles(engine_on_both)).values()).count(Role.OWNER) == 1


async def test_the_last_owner_can_neither_go_nor_step_down(engine: Engine):
    await admit(engine, anna=Role.OWNER, ben=Role.TRADER)

    assert await change(engine, ANNA, ANNA, None) is RoleChangeResult.LAST_OWNER
    assert await change(engine, ANNA, ANNA, Role.TRADER) is RoleChangeResult.LAST_OWNER
    assert await change(engine, ANNA, BEN, Role.OWNER, seen=Role.TRADER) is RoleChangeResult.DONE
    assert await change(engine, ANNA, ANNA, Role.TRADER) is RoleChangeResult.DONE
    assert await roles(engine) == {ANNA: Role.TRADER, BEN: Role.OWNER}


async def test_a_code_that_two_people_send_at_once_lets_one_in(engine_on_both: Engine):
    await admit(engine_on_both, anna=Role.OWNER)
    codes = invitations_of(engine_on_both)
    code = await codes.invite(CIRCLE, user_id=ANNA, role=Role.TRADER)
    assert code is not None

    admissions = await asyncio.gather(
        *(codes.accept(code, sent_in=GROUP, user_id=one, name="") for one in (BEN, CARL))
    )

    assert {one.admitted for one in admissions} == {Admitted.ADMITTED, Admitted.USED}
    assert len(await roles(engine_on_both)) == 2


async def test_guesses_sent_at_once_are_all_counted(engine_on_both: Engine):
    await admit(engine_on_both, anna=Role.OWNER)
    codes = invitations_of(engine_on_both)
    assert await codes.invite(CIRCLE, user_id=ANNA, role=Role.TRADER)

    guesses = await asyncio.gather(
        *(codes.accept(f"guess{n}", sent_in=GROUP, user_id=BEN, name="") for n in range(7))
    )

    assert sorted(one.admitted.value for one in guesses) == ["unheard"] * 2 + ["wrong"] * 5
    assert sorted(one.tries_left for one in guesses if one.admitted is Admitted.WRONG) == [
        *range(5)
    ]


async def test_tries_come_back_a_day_after_the_first_wrong_one(engine: Engine):
    await admit(engine, anna=Role.OWNER)
    codes = invitations_of(engine)
    code = await codes.invite(CIRCLE, user_id=ANNA, role=Role.TRADER)
    assert code is not None
    for n in range(5):
        await codes.accept(f"guess{n}", sent_in=GROUP, user_id=BEN, name="")
    engine.clock.shift(timedelta(hours=23, minutes=59))
    early = await codes.accept(code, sent_in=GROUP, user_id=BEN, name="")
    code = await codes.invite(CIRCLE, user_id=ANNA, role=Role.TRADER)
    assert code is not None
    engine.clock.shift(timedelta(minutes=2))
    later = await codes.accept(code, sent_in=GROUP, user_id=BEN, name="")

    assert early.admitted is Admitted.NO_TRIES_LEFT
    assert later.admitted is Admitted.ADMITTED


async def test_only_an_owner_makes_codes(engine: Engine):
    await admit(engine, anna=Role.OWNER, ben=Role.TRADER)

    assert await invitations_of(engine).invite(CIRCLE, user_id=BEN, role=Role.VIEWER) is None


async def test_being_let_in_and_changed_stands_in_the_trail(engine: Engine):
    await admit(engine, anna=Role.OWNER)
    codes = invitations_of(engine)
    code = await codes.invite(CIRCLE, user_id=ANNA, role=Role.TRADER)
    assert code is not None
    await codes.accept(code, sent_in=GROUP, user_id=BEN, name="ben")
    await change(engine, ANNA, BEN, Role.VIEWER, seen=Role.TRADER)
    await change(engine, ANNA, BEN, Role.VIEWER, seen=Role.VIEWER)
    await change(engine, ANNA, BEN, None, seen=Role.VIEWER)

    async with engine.database.reading() as session:
        lines = await session.scalars(select(AuditRow).order_by(AuditRow.id))
        told = [(line.user_id, line.action, line.subject, line.detail) for line in lines]
    assert told == [
        (ANNA, "invite", "trader", "none -> a code for 24 h"),
        (BEN, "join", "this chat", "none -> trader"),
        (ANNA, "role", "2002 ben", "trader -> viewer"),
        (ANNA, "role", "2002 ben", "viewer -> none"),
    ]
