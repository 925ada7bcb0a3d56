"""Queries of members, refused users, and the pairing code (hashed)."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, union
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from engine.clock import from_millis, to_millis
from engine.domain.accounts.members import Member, Role
from engine.storage.coordination import key_values
from engine.storage.models.accounts import AccountRow, MemberRow, ShareRow, StrangerRow
from engine.storage.models.coordination import KeyValueRow
from engine.storage.row_mapping import from_row
from engine.storage.statements import delete, has_row, update
from engine.storage.text_encoding import storable

_CODE = "pairing_code"
_TRIES = "pairing_tries"
_FORMER = "moved_from:{}"
_NAME = "name:{}"
_SAID = "said:{}"


async def role(session: AsyncSession, *, chat_id: int, user_id: int) -> Role | None:
    """None where the user was never let into the chat."""
    row = await session.get(MemberRow, (chat_id, user_id))
    return None if row is None else row.role


async def name_in(session: AsyncSession, *, chat_id: int, user_id: int) -> str | None:
    """Returns a member's name when they were admitted; None where unknown."""
    row = await session.get(MemberRow, (chat_id, user_id))
    return (row.name or None) if row is not None else None


async def known_chats(session: AsyncSession, chat_ids: Collection[int]) -> set[int]:
    """Returns those of *chat_ids* that have a member or an account, or see another one's."""
    let_in = select(MemberRow.chat_id).where(MemberRow.chat_id.in_(chat_ids))
    with_account = select(AccountRow.chat_id).where(AccountRow.chat_id.in_(chat_ids))
    shared = select(ShareRow.chat_id).where(ShareRow.chat_id.in_(chat_ids))
    return set(await session.scalars(union(let_in, with_account, shared)))


async def find(session: AsyncSession, *, chat_id: int, user_id: int) -> Member | None:
    row = await session.get(MemberRow, (chat_id, user_id))
    return None if row is None else _member(row)


async def of_chat(
    session: AsyncSession, chat_id: int, *, for_update: bool = False
) -> Sequence[Member]:
    """Returns the chat's members, the oldest first; *for_update* locks them."""
    return await _members(session, MemberRow.chat_id == chat_id, for_update=for_update)


async def in_private(session: AsyncSession, *, for_update: bool = False) -> Sequence[Member]:
    """Returns all users admitted to their own private chat."""
    return await _members(session, MemberRow.chat_id == MemberRow.user_id, for_update=for_update)


async def in_groups(session: AsyncSession, *, most: int) -> Sequence[tuple[int, int, Role]]:
    """Returns chat, user and role of all group members above viewers."""
    query = (
        select(MemberRow.chat_id, MemberRow.user_id, MemberRow.role)
        .where(MemberRow.chat_id < 0, MemberRow.role != Role.VIEWER)
        .order_by(MemberRow.chat_id, MemberRow.user_id)
        .limit(most)
    )
    return [(chat_id, user_id, role) for chat_id, user_id, role in await session.execute(query)]


async def groups_owned_by(session: AsyncSession, user_id: int) -> Sequence[int]:
    query = select(MemberRow.chat_id).where(
        MemberRow.user_id == user_id, MemberRow.chat_id < 0, MemberRow.role == Role.OWNER
    )
    return (await session.scalars(query)).all()


async def rename(session: AsyncSession, *, chat_id: int, user_id: int, name: str) -> None:
    await session.execute(
        update(MemberRow)
        .where(MemberRow.chat_id == chat_id, MemberRow.user_id == user_id)
        .values(name=await storable(session, name))
    )


async def name_of(session: AsyncSession, user_id: int) -> str:
    """Returns the name of a user allowed by the settings alone; "" until known."""
    return await key_values.get(session, _NAME.format(user_id)) or ""


async def keep_name(session: AsyncSession, user_id: int, name: str) -> None:
    """Store the name of a user allowed by the settings alone."""
    kept = await storable(session, name)
    await key_values.put_first(session, _NAME.format(user_id), kept)
    await key_values.put(session, _NAME.format(user_id), kept)


async def set_role(session: AsyncSession, *, chat_id: int, user_id: int, role: Role) -> None:
    """Change the role of an existing member."""
    await session.execute(
        update(MemberRow)
        .where(MemberRow.chat_id == chat_id, MemberRow.user_id == user_id)
        .values(role=role)
    )


async def remove(session: AsyncSession, *, chat_id: int, user_id: int) -> None:
    await session.execute(
        delete(MemberRow).where(MemberRow.chat_id == chat_id, MemberRow.user_id == user_id)
    )


async def is_owner(session: AsyncSession, *, user_id: int) -> bool:
    return await has_row(session, MemberRow.user_id == user_id, MemberRow.is_owner)


async def has_owner(session: AsyncSession) -> bool:
    return await has_row(session, MemberRow.is_owner)


async def owner(session: AsyncSession) -> int | None:
    """Returns the id of the user who used the pairing code."""
    owners = select(MemberRow.user_id).where(MemberRow.is_owner)
    return await session.scalar(owners.order_by(MemberRow.created_at).limit(1))


async def admit(
    session: AsyncSession,
    *,
    chat_id: int,
    user_id: int,
    role: Role,
    now: datetime,
    is_owner: bool = False,
    name: str = "",
) -> None:
    """Admit a user, or change their role. *is_owner*: of the bot itself."""
    await session.merge(
        MemberRow(
            chat_id=chat_id,
            user_id=user_id,
            is_owner=is_owner,
            role=role,
            name=await storable(session, name),
            created_at=now,
        )
    )
    await forget_stranger(session, user_id)


async def forget_stranger(session: AsyncSession, user_id: int) -> None:
    """The user was refused once, and is let in now."""
    await session.execute(delete(StrangerRow).where(StrangerRow.user_id == user_id))


async def move(session: AsyncSession, *, old: int, new: int) -> None:
    """A group's members stay its members under its new id, and its old id is remembered."""
    there = select(MemberRow.user_id).where(MemberRow.chat_id == new)
    await session.execute(
        update(MemberRow)
        .where(MemberRow.chat_id == old, MemberRow.user_id.not_in(there))
        .values(chat_id=new)
    )
    await key_values.put(session, _FORMER.format(new), str(old))


async def former_chat(session: AsyncSession, chat_id: int) -> int | None:
    """The id a supergroup had as a group; None where it never was one that was known here."""
    former = await key_values.get(session, _FORMER.format(chat_id))
    return None if former is None else int(former)


async def refuse_once(session: AsyncSession, *, user_id: int, now: datetime) -> bool:
    """Returns True the first time a user is refused; later refusals get no answer."""
    try:
        async with session.begin_nested():
            session.add(StrangerRow(user_id=user_id, refused_at=now))
    except IntegrityError:
        return False
    return True


async def is_news(
    session: AsyncSession, what: str, *, now: datetime, again_after: timedelta | None
) -> bool:
    """True the first time *what* is to be said, and again after *again_after* if that is given."""
    name = _SAID.format(what)
    try:
        async with session.begin_nested():
            session.add(KeyValueRow(name=name, value=str(to_millis(now))))
    except IntegrityError:
        row = await session.get_one(
            KeyValueRow, name, with_for_update=True, populate_existing=True
        )
        if again_after is None or now - from_millis(int(row.value)) < again_after:
            return False
        row.value = str(to_millis(now))
    return True


async def has_any(session: AsyncSession, *, chat_id: int) -> bool:
    """True if the chat has a member."""
    return await has_row(session, MemberRow.chat_id == chat_id)


async def is_any(session: AsyncSession, *, user_id: int) -> bool:
    """True if the user is a member of any chat."""
    return await has_row(session, MemberRow.user_id == user_id)


async def set_code(session: AsyncSession, *, code_hash: str, tries: int) -> None:
    """Store a new pairing code; the one before is void."""
    await session.merge(KeyValueRow(name=_CODE, value=code_hash))
    await session.merge(KeyValueRow(name=_TRIES, value=str(tries)))


async def is_code_offered(session: AsyncSession) -> bool:
    tries = await session.get(KeyValueRow, _TRIES)
    return tries is not None and int(tries.value) > 0


async def spend_try(session: AsyncSession) -> tuple[str, int] | None:
    """Spend a try: returns the pairing code's hash and the tries left after it.
    None where there is no code, or no try is left.
    """
    code = await session.get(KeyValueRow, _CODE, with_for_update=True)
    tries = await session.get(KeyValueRow, _TRIES, with_for_update=True)
    if code is None or tries is None or int(tries.value) < 1:
        return None
    tries.value = str(int(tries.value) - 1)
    return code.value, int(tries.value)


async def void_code(session: AsyncSession) -> None:
    await session.execute(delete(KeyValueRow).where(KeyValueRow.name.in_({_CODE, _TRIES})))


async def _members(
    session: AsyncSession, which: ColumnElement[bool], *, for_update: bool
) -> Sequence[Member]:
    query = select(MemberRow).where(which)
    if for_update:
        # One lock order for all, to prevent deadlocks.
        query = query.order_by(MemberRow.user_id).with_for_update()
    rows = (await session.scalars(query)).all()
    return [_member(row) for row in sorted(rows, key=lambda row: (row.created_at, row.user_id))]


def _member(row: MemberRow) -> Member:
    return from_row(Member, row, since=row.created_at)
