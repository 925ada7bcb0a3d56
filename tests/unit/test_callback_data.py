"""Buttons carry typed data that fits Telegram and cannot be forged into anything else."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.interaction.callback_data import (
    PRESSABLE,
    AuditPage,
    BuildBasket,
    BuildStep,
    CallbackData,
    ChartKind,
    ChartPage,
    Choose,
    Confirm,
    EnterValue,
    FlowPage,
    FlowsPage,
    HistoryPage,
    Open,
    PanelPage,
    Pin,
    Refresh,
    RemoveLowBalance,
    RemovePriceAlert,
    ReplayPage,
    Report,
    RunCommand,
    SetAlert,
    SetPreset,
    TradeDetailsPage,
    WhyPage,
    Word,
    decode,
)
from engine.domain.profit.spans import Span, text_of

ids = st.from_regex(r"[A-Za-z0-9_-]{1,32}", fullmatch=True)
arguments = st.from_regex(r"[A-Za-z0-9.%]{0,20}", fullmatch=True)
settable = st.sampled_from([page for page in PanelPage if page is not PanelPage.HOME])
bits = st.integers(0, 1)
spans = st.sampled_from([*Span, date(2026, 11, 1)]).map(text_of)
presses: st.SearchStrategy[CallbackData] = st.one_of(
    st.builds(RunCommand, st.sampled_from(sorted(PRESSABLE)), arguments),
    st.builds(Confirm, ids),
    st.builds(Choose, ids, st.integers(0, 7)),
    st.builds(HistoryPage, st.integers(0, 9999), st.integers(1, 50)),
    st.builds(Open, st.sampled_from(PanelPage)),
    st.builds(SetPreset, settable, arguments.filter(bool)),
    st.builds(EnterValue, settable),
    st.builds(TradeDetailsPage, ids, st.integers(0, 9999), st.integers(1, 50)),
    st.builds(ReplayPage, ids, st.integers(0, 9999), st.integers(1, 50)),
    st.builds(WhyPage, st.integers(0, 9999), st.integers(1, 50)),
    st.builds(FlowsPage, spans, st.integers(0, 9999)),
    st.builds(FlowPage, bits, bits, st.integers(0, 10**13 - 1), spans),
    st.just(Refresh()),
    st.builds(Pin, on=st.booleans()),
    st.builds(Report, st.sampled_from(Word), ids),
    st.builds(
        SetAlert,
        st.from_regex(r"[a-z]{0,10}", fullmatch=True),
        st.from_regex(r"[A-Za-z0-9._/+-]{0,40}", fullmatch=True),
    ),
    st.builds(RemoveLowBalance, st.from_regex(r"[A-Z0-9]{1,16}|[币安人生]{1,8}", fullmatch=True)),
    st.builds(RemovePriceAlert, st.from_regex(r"[A-Z0-9]{1,16}", fullmatch=True)),
    st.builds(AuditPage, st.integers(0, 9999)),
    st.builds(ChartPage, st.sampled_from(ChartKind), st.sampled_from(Span)),
    st.builds(BuildBasket, ids, st.sampled_from(BuildStep), st.integers(0, 99)),
)


@given(presses)
def test_a_button_comes_back_as_it_was_made(press: CallbackData):
    assert decode(press.encode()) == press


@given(presses)
def test_a_button_fits_into_telegrams_64_bytes(press: CallbackData):
    assert 1 <= len(press.encode().encode()) <= 64


@given(st.text())
def test_any_text_decodes_to_a_button_of_ours_or_to_nothing(text: str):
    press = decode(text)

    assert press is None or press.encode() == text


@given(presses, st.text(min_size=1, max_size=3))
def test_a_button_with_something_added_is_never_taken_for_another_kind(
    press: CallbackData, more: str
):
    changed = decode(press.encode() + more)

    assert changed is None or type(changed) is type(press)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "do",
        "do:",
        "do:status",
        "do:start:code",
        "do:status:\n",
        "do:status:a b",
        "do:settarget:" + "4" * 21,
        "yes:",
        "yes:a b",
        "yes:" + "a" * 33,
        "yes:é",
        "pick:a",
        "pick:a:8",
        "pick:a:-1",
        "pick:a:01",
        "pick:a:１",
        "open:status",
        "open:settings:",
        "put:settings:40",
        "put:settarget:",
        "put:settarget:4 0",
        "enter:settings",
        "page:1",
        "page:10000:5",
        "page:1:0",
        "page:1:51",
        "page:x:5",
        "trade:a b:1:5",
        "trade:order-1:1",
        "trade:order-1:10000:5",
        "why:1:51",
        "chart:value",
        "chart:value:1d",
        "chart:pie:7d",
        "flows:8d:0",
        "flows:20261101:0",
        "flows:0001-01-01:0",
        "flow:2:1:1790000000000:7d",
        "drop:a",
        "order:filled",
        "order:filled:",
        "order:FILLED:bl-1",
        "order:sold:bl-1",
        "order:not:a b",
        "order:look:" + "a" * 33,
        "tune:trade",
        "tune:Trade:off",
        "tune:trade:o f",
        "tune:zone:" + "a" * 41,
        "unwarn:",
        "unwarn:MN TL",
        "unwarn:MN\u200bTL",
        "unwarn:" + "A" * 17,
    ],
)
def test_what_we_would_not_have_made_is_refused(text: str):
    assert decode(text) is None


def test_a_wrong_button_cannot_even_be_made():
    with pytest.raises(ValueError, match="the command of RunCommand"):
        RunCommand("format_disk")
    with pytest.raises(ValueError, match="the id of Confirm"):
        Confirm("a:b")
    with pytest.raises(ValueError, match="the index of Choose"):
        Choose("a", 8)
    with pytest.raises(ValueError, match="the page of HistoryPage"):
        HistoryPage(-1, 5)
    with pytest.raises(ValueError, match="the client_order_id of Report"):
        Report(Word.FILLED, "bl-1:x")
    with pytest.raises(ValueError, match="the value of SetAlert"):
        SetAlert("trade", "o:f")
    with pytest.raises(ValueError, match="the asset of RemoveLowBalance"):
        RemoveLowBalance("mn tl")
