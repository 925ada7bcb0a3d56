"""Scenarios 37 and 38: odd numbers, markup where a name belongs, endless and exploding answers."""

import gzip
import tracemalloc
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.interaction.message import Message, to_payload
from bot.messaging.responder import ANSWER
from bot.views.components.layout import escape
from engine.domain.orders.order import OrderState
from engine.storage.queues import outbox
from tests.fakes.http import Reply
from tests.fakes.mexc_books import Pair
from tests.fakes.mexc_faults import Fault, json_reply, refusal
from tests.faults.bench import BALANCES, ORDER, Bench
from tests.faults.invariants import broken_at_rest
from tests.sampling import sampled

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
OFTEN = "/setinterval 10s"
DRIFT = Decimal("17.10")
NONSENSE = "MEXC's answer makes no sense"
MARKUP = "<b>no</b> & <a href='x'>&lt;way</a> </pre>"
MEGABYTE = 1024 * 1024


def drift(bench: Bench) -> None:
    for account in bench.mexc.ledger.accounts.values():
        account.of("USDT").free += DRIFT


# 37: numbers nobody should send

NUMBERS = {
    "not a number": "NaN",
    "infinite": "Infinity",
    "huge exponent": "1e400",
    "5,000 digits": "9" * 5_000,
    "full-width": "４０",
    "underscored": "1_000",
    "negative": "-40",
}


@pytest.mark.parametrize("number", sampled(NUMBERS, every=3))
async def test_37_a_number_that_is_none_changes_nothing_and_is_answered(
    sqlite_bench: Bench, number: str
):
    """Typed by a person: one clear answer, no setting changed."""
    bench = sqlite_bench
    anna = bench.add_person()
    async with bench.life():
        await bench.connect(anna)
        before = await bench.account(anna)
        answers = [
            *await bench.say(anna, f"/settarget {number[:4_000]}"),
            *await bench.say(anna, f"/setthreshold {number[:4_000]}"),
            *await bench.say(anna, f"/setinterval {number[:4_000]}"),
        ]

        assert len(answers) == 3
        assert all("Nothing changed" in answer.text for answer in answers)
        assert await bench.account(anna) == before


BALANCES_THAT_ARE_NONE = {
    **{
        name: f'{{"balances":[{{"asset":"USDT","free":"{n}","locked":"0"}}]}}'
        for name, n in NUMBERS.items()
    },
    "bare NaN": '{"balances":[{"asset":"USDT","free":NaN,"locked":0}]}',
    "bare 5,000 digits": f'{{"balances":[{{"asset":"USDT","free":{"9" * 5_000},"locked":0}}]}}',
    "nested 100,000 deep": '{"balances":' + "[" * 100_000,
}


# Each is told from a number in tests/exchange/test_mexc_parsing.py and test_bad_input_wire.py.
@pytest.mark.parametrize("body", sampled(BALANCES_THAT_ARE_NONE, every=3))
async def test_37_a_balance_that_is_no_number_is_never_traded_on(sqlite_bench: Bench, body: str):
    """Sent by MEXC: no order, the chat is told once, and the next sound answer is traded on."""
    bench = sqlite_bench
    anna = bench.add_person()
    async with bench.life():
        await bench.connect(anna, OFTEN)
        await bench.pass_time(10 * SECOND)
        drift(bench)
        fault = bench.mexc.inject(
            Fault("GET", BALANCES, reply=Reply(body=body.encode()), times=None)
        )
        await bench.pass_time(3 * MINUTE)

        assert bench.order_posts == 0
        assert sum(NONSENSE in text for text in bench.texts(anna)) == 1

        bench.mexc.remove(fault)
        await bench.pass_time(2 * MINUTE)

        assert bench.order_posts == 1
        assert await broken_at_rest(bench) == []


async def test_37_a_tiny_quantity_leaves_in_plain_digits(sqlite_bench: Bench):
    """0.0000002 of a token is `2E-7` to Python, and must not be to MEXC or to the person."""
    bench = sqlite_bench
    price = Decimal(50_000_000)
    bench.mexc.add_pair(
        Pair(
            symbol="BIGUSDT",
            base="BIG",
            last=price,
            bids=[(price, Decimal(10))],
            asks=[(price + 1_000, Decimal(10))],
            base_precision=10,
            quote_precision=2,
        )
    )
    anna = bench.add_person(USDT="30", BIG="0.00001")
    async with bench.life():
        await bench.connect(anna, "/setpair BIGUSDT")
        await bench.pass_time(MINUTE)

    (post,) = (
        e.request
        for e in bench.exchanges
        if e.request.path == ORDER and e.request.query.get("side")
    )
    assert Decimal(post.query["quantity"]) < Decimal("1E-6")
    assert "E" not in post.query["quantity"].upper()
    sold = bench.texts(anna)[-1]
    assert "Sold 0.0000002" in sold
    assert "E-" not in sold


# 38: markup, endless text, endless and exploding answers


async def test_38_markup_in_mexcs_words_is_shown_as_it_is(sqlite_bench: Bench):
    """A refusal that is worded in HTML reaches the chat letter by letter."""
    bench = sqlite_bench
    anna = bench.add_person()
    async with bench.life():
        await bench.connect(anna, OFTEN)
        await bench.pass_time(10 * SECOND)
        bench.mexc.inject(Fault("POST", ORDER, reply=refusal(30005, MARKUP)))
        drift(bench)
        await bench.pass_time(15 * SECOND)

        assert any(MARKUP in text for text in bench.texts(anna))


@pytest.mark.parametrize(
    "typed", [f"/setpair {MARKUP}", f"/{MARKUP}", MARKUP, "<" * 4_096, "/settarget " + "&" * 4_000]
)
async def test_38_markup_from_a_person_of_a_strange_name_is_answered(
    sqlite_bench: Bench, typed: str
):
    bench = sqlite_bench
    anna = bench.add_person()
    async with bench.life():
        await bench.connect(anna)
        before = await bench.account(anna)
        bench.telegram._chats[anna.chat_id]["first_name"] = MARKUP
        (answer,) = await bench.say(anna, typed)

        assert answer.html is not None
        assert await bench.account(anna) == before


async def test_38_a_message_beyond_4096_characters_arrives_whole_in_pieces(sqlite_bench: Bench):
    """Cut between entities: every piece is accepted by the Bot API's own parser, nothing is lost."""
    bench = sqlite_bench
    anna = bench.add_person()
    text = "\n".join(f"<b>{n}</b> {escape(MARKUP)}" for n in range(300))
    async with bench.life():
        known = len(bench.texts(anna))
        async with bench.database.writing() as session:
            await outbox.add(
                session,
                chat_id=anna.chat_id,
                kind=ANSWER,
                payload=to_payload(Message(text)),
                dedupe_key="long",
                now=bench.clock.now(),
            )
        await bench.turn()
        pieces = bench.telegram.sent(anna.chat_id)[known:]

        assert len(pieces) > 1
        assert all(piece.html for piece in pieces)
        shown = "\n".join(piece.text for piece in pieces)
        assert shown == "\n".join(f"{n} {MARKUP}" for n in range(300))
        assert await broken_at_rest(bench) == []


async def test_38_an_answer_that_drips_for_ever_is_given_up(sqlite_bench: Bench):
    """Slow loris on a read: no order on half an answer, and the next check is not held up."""
    bench = sqlite_bench
    anna = bench.add_person()
    async with bench.life():
        await bench.connect(anna, OFTEN)
        await bench.pass_time(10 * SECOND)
        drift(bench)
        bench.mexc.inject(Fault("GET", BALANCES, reply=Reply(body=b'{"balances":[', drips=True)))
        await bench.pass_time(15 * SECOND)

        assert bench.order_posts == 0
        assert sum("MEXC does not answer" in text for text in bench.texts(anna)) == 1

        await bench.pass_time(2 * MINUTE)

        assert bench.order_posts == 1
        assert await broken_at_rest(bench) == []


async def test_38_an_order_whose_answer_drips_for_ever_is_looked_up(sqlite_bench: Bench):
    bench = sqlite_bench
    anna = bench.add_person()
    async with bench.life():
        await bench.connect(anna, OFTEN)
        await bench.pass_time(10 * SECOND)
        bench.mexc.inject(Fault("POST", ORDER, reply=Reply(drips=True), executes=True))
        drift(bench)
        await bench.pass_time(2 * MINUTE)

        assert [intent.state for intent in await bench.intents()] == [OrderState.FILLED]
        assert sum("Confirmed late" in text for text in bench.texts(anna)) == 1
        assert await broken_at_rest(bench) == []


@pytest.mark.parametrize(
    "reply",
    [
        Reply(
            body=gzip.compress(b" " * (32 * MEGABYTE), compresslevel=1),
            headers={"content-encoding": "gzip"},
        ),
        Reply(body=gzip.compress(b"{}")[:-6], headers={"content-encoding": "gzip"}),
        Reply(body=b" " * (2 * MEGABYTE)),
    ],
    ids=["gzip bomb", "gzip cut off", "2 MB"],
)
async def test_38_an_answer_that_explodes_is_refused_before_it_fills_the_memory(
    sqlite_bench: Bench, reply: Reply
):
    """32 MB in 140 kB: unpacked to one megabyte at most, refused, told once; then back to work."""
    bench = sqlite_bench
    anna = bench.add_person()
    async with bench.life():
        await bench.connect(anna, OFTEN)
        await bench.pass_time(10 * SECOND)
        drift(bench)
        bench.mexc.inject(Fault("GET", BALANCES, reply=reply))
        tracemalloc.start()
        await bench.pass_time(15 * SECOND)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert peak < 8 * MEGABYTE
        assert bench.order_posts == 0
        assert sum(NONSENSE in text for text in bench.texts(anna)) == 1

        await bench.pass_time(2 * MINUTE)

        assert bench.order_posts == 1
        assert await broken_at_rest(bench) == []


async def test_38_an_odd_encoding_of_an_orders_answer_leaves_it_to_the_look_up(
    sqlite_bench: Bench,
):
    """The bomb in answer to the POST itself: unclear, looked up, booked once."""
    bench = sqlite_bench
    anna = bench.add_person()
    bomb = json_reply({"orderId": "C02__1"}, headers={"content-encoding": "br"})
    async with bench.life():
        await bench.connect(anna, OFTEN)
        await bench.pass_time(10 * SECOND)
        bench.mexc.inject(Fault("POST", ORDER, reply=bomb, executes=True))
        drift(bench)
        await bench.pass_time(2 * MINUTE)

        assert [intent.state for intent in await bench.intents()] == [OrderState.FILLED]
        assert bench.order_posts == 1
        assert await broken_at_rest(bench) == []
