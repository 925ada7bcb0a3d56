"""Who may change whose role: whatever is asked, somebody who may is left."""

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.accounts.members import (
    ChatMembers,
    Invitation,
    Member,
    Role,
    RoleChangeResult,
    judge_role_change,
)
from tests.fakes.clock import START

GROUP = -5005
ids = st.integers(1, 5)
some_roles = st.sampled_from(Role)


def people(roles: dict[int, Role]) -> list[Member]:
    return [
        Member(user_id=user_id, role=role, name="", since=START) for user_id, role in roles.items()
    ]


@given(
    named=st.dictionaries(ids, some_roles),
    standing=st.dictionaries(ids, some_roles),
    bot_owner=st.none() | ids,
    asked_by=ids,
    member_id=ids,
    expected=some_roles,
    wanted=st.none() | some_roles,
)
def test_whatever_is_asked_a_group_with_an_owner_keeps_one(
    named: dict[int, Role],
    standing: dict[int, Role],
    bot_owner: int | None,
    asked_by: int,
    member_id: int,
    expected: Role,
    wanted: Role | None,
):
    circle = ChatMembers(chat_id=GROUP, standing=standing, bot_owner=bot_owner)
    before = circle.with_standing(people(named))
    verdict = judge_role_change(
        circle=circle,
        people=before,
        asked_by=asked_by,
        member_id=member_id,
        expected=expected,
        wanted=wanted,
    )
    is_owner = any(one.user_id == asked_by and one.role is Role.OWNER for one in before)
    was = next((one.role for one in before if one.user_id == member_id), None)

    assert (verdict is RoleChangeResult.NOT_ALLOWED) == (not is_owner)
    if verdict is not RoleChangeResult.DONE:
        return
    assert was is expected
    after = dict(named)
    if wanted is None:
        after.pop(member_id, None)
    else:
        after[member_id] = wanted
    left = {one.user_id: one.role for one in circle.with_standing(people(after))}
    assert Role.OWNER in left.values()
    # What was asked is what came of it, and nobody else is anything else.
    assert left.get(member_id) is wanted
    assert {one.user_id: one.role for one in before} | {member_id: None} == left | {
        member_id: None
    }
    if member_id == bot_owner:
        assert wanted is was


@given(bot_owner=ids, asked_by=ids)
def test_around_a_private_chat_only_whoever_runs_the_bot_decides(bot_owner: int, asked_by: int):
    circle = ChatMembers(chat_id=bot_owner, standing={bot_owner: Role.OWNER}, bot_owner=bot_owner)
    there = circle.with_standing(people(dict.fromkeys((8, 9), Role.OWNER)))

    verdict = judge_role_change(
        circle=circle,
        people=there,
        asked_by=asked_by,
        member_id=9,
        expected=Role.OWNER,
        wanted=None,
    )

    assert verdict is (
        RoleChangeResult.DONE if asked_by == bot_owner else RoleChangeResult.NOT_ALLOWED
    )


def test_a_groups_code_admits_to_the_group_and_a_private_one_to_ones_own_chat():
    group = Invitation(chat_id=GROUP, role=Role.TRADER, invited_by=1, expires_at=START)
    private = Invitation(chat_id=1, role=Role.OWNER, invited_by=1, expires_at=START)

    assert group.admits_to(7) == GROUP
    assert private.admits_to(7) == 7
