"""What people hear of people: fits a phone, whoever they are and whatever they call themselves."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.views import invitations as words
from bot.views import share as sharing
from bot.views.access import not_allowed_view, share_begun_view, share_over_view
from bot.views.audit import audit_view
from bot.views.members import (
    ask_look_view,
    look_changed_view,
    member_view,
    members_view,
    sure_view,
    verdict_view,
)
from engine.domain.accounts.audit import ALL_ACCOUNTS, AuditEntry
from engine.domain.accounts.members import Member, Role, RoleChangeResult
from engine.domain.accounts.shares import Share
from engine.domain.alerts.share_alerts import SharingBegun, SharingEnded, SharingLeft
from engine.domain.orders.order import AccountId
from engine.membership.sharing import Redeemed
from tests.builders import account
from tests.fakes.clock import START
from tests.unit.phone import check_message

# Without the letters of "None", "NaN", "Infinity" and 1e+5: somebody may be called that, but the
# phone's check would take it for a slip of ours.
names = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="NIDdSeE"), max_size=80
) | st.sampled_from(["", "<b>&", "👩‍👩‍👧‍👦" * 9, "مرحبا", "x" * 64])
members = st.builds(
    Member,
    user_id=st.integers(1, 2**52),
    role=st.sampled_from(Role),
    name=names,
    since=st.none() | st.just(START),
    is_owner=st.booleans(),
)


@given(st.lists(members, max_size=6), st.booleans(), st.booleans(), st.integers(0, 3))
def test_the_list_fits_a_phone(
    people: list[Member], is_private: bool, all_may_look: bool, page: int
):
    view = members_view(
        people=people,
        page=page,
        has_more=page < 2,
        is_private=is_private,
        all_may_look=all_may_look,
        question_id="id",
    )

    check_message(view)


@given(
    members, st.none() | st.sampled_from(Role), st.booleans(), st.sampled_from(RoleChangeResult)
)
def test_what_is_asked_and_told_of_somebody_fits_a_phone(
    member: Member, wanted: Role | None, is_private: bool, verdict: RoleChangeResult
):
    who: dict[str, Any] = {"user_id": member.user_id, "name": member.name, "wanted": wanted}

    check_message(
        member_view(
            member=member,
            options=["viewer", "trader", "owner", "remove", "back"],
            is_private=is_private,
            question_id="id",
        )
    )
    check_message(sure_view(**who, is_private=is_private, question_id="id"))
    check_message(verdict_view(verdict, **who, is_private=is_private))


@pytest.mark.parametrize("is_private", [True, False])
@pytest.mark.parametrize("role", Role)
def test_invitations_fit_a_phone(is_private: bool, role: Role):
    shown = words.code_view(
        code="h7kp-3mne-xa4r-wyct",
        link="https://t.me/ballast_bot?start=h7kp-3mne-xa4r-wyct",
        role=role,
        expires_at=START,
        is_private=is_private,
    )

    assert "/start h7kp-3mne-xa4r-wyct\nOr they open https://t.me/" in check_message(shown)
    check_message(words.ask_invite_view(is_private=is_private))
    check_message(words.invite_usage_view(is_private=is_private))
    check_message(words.admitted_here_view(role=role))
    check_message(words.admitted_elsewhere_view(role=role))


def test_the_other_sentences_fit_a_phone():
    for view in (
        words.no_invitations_here_view(),
        words.not_invited_view(),
        words.admitted_to_private_view(),
        words.used_code_view(),
        words.expired_code_view(),
        *(words.wrong_invitation_view(tries_left=left) for left in range(3)),
        *(ask_look_view(on=on, question_id="id") for on in (True, False)),
        *(look_changed_view(on=on) for on in (True, False)),
    ):
        check_message(view)


@given(names, st.sampled_from([Role.VIEWER, Role.TRADER]), st.booleans())
def test_what_is_said_of_a_shared_account_fits_a_phone(name: str, role: Role, on: bool):
    one = Share(
        chat_id=2**40,
        account_id=AccountId(1),
        role=role,
        user_id=7,
        name=name,
        shared_by=1,
        created_at=START,
    )
    link = "https://t.me/ballast_bot?start=h7kp-3mne-xa4r-wyct" if on else None
    for view in (
        sharing.ask_share_view(),
        sharing.share_usage_view(),
        sharing.share_in_private_view(),
        sharing.nothing_to_share_view(),
        sharing.too_many_shares_view(),
        sharing.link_view(
            code="code",
            link=link,
            group_link=link,
            role=role,
            expires_at=START,
            question_id="id",
        ),
        sharing.link_withdrawn_view(withdrawn=on),
        sharing.shares_view(shared=[one] * 8, question_id="id"),
        sharing.nobody_sees_view(),
        sharing.ask_unshare_view(share=one, question_id="id"),
        sharing.unshared_view(share=one if on else None),
        sharing.joined_share_view(
            account=account(), role=role, owner=name, user_id=1, paused_own=on
        ),
        sharing.shared_start_view(account=account(), role=role, owner=name, user_id=1),
        *(
            sharing.not_joined_view(result)
            for result in Redeemed
            if result not in {Redeemed.JOINED, Redeemed.IN_GROUP}
        ),
        sharing.ask_leave_view(owner=name, user_id=1),
        sharing.left_share_view(owner=name, user_id=1, has_own=on),
        sharing.nothing_to_leave_view(),
        sharing.may_not_leave_view(),
        sharing.sharing_begun_view(SharingBegun(chat_id=7, name=name, role=role)),
        sharing.sharing_left_view(SharingLeft(chat_id=7, name=name, role=role)),
        sharing.sharing_ended_view(SharingEnded(owner=name, disconnected=on)),
        not_allowed_view(role=role, needed=Role.OWNER if on else Role.TRADER, is_shared=True),
        share_begun_view(),
        share_over_view(),
    ):
        check_message(view)
        assert len(view.text.splitlines()) <= 20


def entry(action: str, subject: str, detail: str, **changes: Any) -> AuditEntry:
    values: dict[str, Any] = {"at": START, "user_id": 1001}
    return AuditEntry(action=action, subject=subject, detail=detail, **values | changes)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (entry("settings", "target", "40 USDT -> 50 USDT"), "target: 40 USDT → 50 USDT"),
        (entry("limits", "order", "auto -> 500 USDT"), "limit order: auto → 500 USDT"),
        (entry("limits", "f00", "order=auto -> order=5"), "limits: order=auto → order=5"),
        (entry("trading", "trading", "on -> paused"), "trading paused"),
        (entry("share", "viewer", "none -> a link for 24 h"), "new link: viewer"),
        (entry("share", "viewer", "a link for 24 h -> none"), "link withdrawn: viewer"),
        (entry("share_join", "7 Anna", "none -> trader"), "Anna sees the account (trader)"),
        (entry("unshare", "-5005 We", "trader -> none"), "removed: We (trader)"),
        (entry("trading", "trading", "paused -> on"), "trading resumed"),
        (entry("key", "key", "none -> …BWC5"), "key connected: …BWC5"),
        (entry("key", "key", "…BWC5 -> none"), "key deleted: …BWC5"),
        (entry("halt", ALL_ACCOUNTS, "2 accounts"), "all accounts halted"),
        (entry("lift the halt", ALL_ACCOUNTS, "halted at"), "halt lifted"),
        (entry("pair", "the bot", "none -> owner"), "new owner of the bot"),
        (entry("invite", "trader", "none -> a code"), "new code: trader"),
        (entry("join", "this chat", "none -> viewer"), "joined by code: viewer"),
        (entry("join", "this chat", "viewer -> trader"), "role by code: trader"),
        (entry("role", "7 Ben", "owner -> none"), "removed: Ben (owner)"),
        (entry("role", "7", "owner -> viewer"), "role of User 7: owner → viewer"),
        (entry("look", "looking", "members -> everybody"), "everybody may look"),
        (entry("topic", "alerts", "7 -> general"), "alerts: general topic"),
        (
            entry("order_claimed", "x1", "said: filled; exchange: no"),
            "answer about an order: said: fi",
        ),
        (entry("order_set_aside", "x1", "said"), "unclear order put aside"),
        (entry("anything new", "tea", "1 -> 2"), "anything new tea: 1 → 2"),
        (entry("mode", "ab" * 16, "auto -> ask"), "mode: auto → ask"),
        (entry("offer", "0f" * 16, "skipped"), "offer: skipped"),
    ],
)
def test_a_line_of_the_trail_says_what_changed(line: AuditEntry, sentence: str):
    view = audit_view(entries=[line], names={1001: "Olga"}, page=0, has_more=False)
    text = check_message(view)

    assert f"{START.day} Nov" in text
    assert "Olga" in text
    assert sentence in " ".join(text.split())


@given(
    names,
    names,
    st.text(st.characters(exclude_characters="NIDdSeE"), max_size=300),
    st.integers(0, 2),
    st.booleans(),
)
def test_the_trail_fits_a_phone_whatever_it_holds(
    name: str, subject: str, detail: str, page: int, has_more: bool
):
    clean = "".join(ch for ch in detail if ch.isprintable())
    lines = [entry("role", f"7 {subject}", clean, at=START + timedelta(days=n)) for n in range(8)]

    check_message(audit_view(entries=lines, names={1001: name}, page=page, has_more=has_more))
    check_message(audit_view(entries=[], names={}, page=page, has_more=False))
