"""What nobody should send and somebody will: strange text, bytes and JSON, and how to try it all."""

import asyncio
import json
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")

_PATIENCE_S = 30
_LONGER_WHEN_SOAKING, _LONGEST = 20, 1000
_ENOUGH = 10

NUMBERS = (
    *("NaN", "sNaN", "Infinity", "-Infinity", "1e400", "1e-400", "1E+999999", "-1", "-0", "0x10"),
    *(
        "1_000",
        "1,000",
        "1.000",
        "1.000,50",
        "40,5",
        "４０",
        "٤٠",
        "४०",
        "½",
        "⁴⁰",
        "４０%",
        "5％",
    ),
    *("9" * 25, "9" * 5_000, "0." + "9" * 5_000, "1e" + "9" * 50, "0" * 4_300, "+40", ".5", "5."),
    *("1 000", "1\u00a0000", "4\u200b0", "40\u202e", "$", "%", "−5", "1/3", "1e5", "0,0,0"),
)
WORDS = (
    *(
        "<b>bold",
        "</pre>",
        "<script>alert(1)</script>",
        "&lt;&amp;&#0;&#x110000;",
        "&",
        "<",
        "<a>",
    ),
    *("\u202eDSU 04\u202c", "\u200f\u200e\u2066", "مرحبا", "שלום", "\ufeff", "\u00ad", "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰"),
    *(
        "👩‍👩‍👧‍👦",
        "🏳️‍🌈" * 40,
        "\U0010ffff",
        "\x00",
        "\x1b[31m",
        "\x7f",
        "\r\n",
        "\t",
        "\u2028",
        " ",
    ),
    *("'; DROP TABLE accounts; --", "${jndi:ldap://x}", "%s%s%n", "{0}{x!r}", "../../etc/passwd"),
    *("None", "null", "true", "[]", "{}", "on off", "ON", "Oﬀ", "ıstanbul", "ß", "ǅ", "K"),
    *("@ballast_bot", "/", "//", "/status", "do:resume:", "yes:", "page:0:5", "x" * 4_097),
    *("<" * 4_096, "&" * 4_096, "\n" * 4_096, "😀" * 2_048, "\u202e" * 4_096),
)
# Half of what UTF-16 writes as two: no text at all, but Python's JSON reader lets it through.
HALF = "\ud83d"


def one_of(choices: Sequence[T]) -> SearchStrategy[T]:
    """As `st.sampled_from`, for choices too long to be written into every failure."""
    return st.integers(0, len(choices) - 1).map(lambda index: choices[index])


odd_texts = one_of([*NUMBERS, *WORDS])
# What Telegram could send: it is Unicode.
texts: SearchStrategy[str] = st.one_of(
    odd_texts,
    st.text(max_size=30),
    st.lists(st.one_of(odd_texts, st.text(max_size=6)), max_size=4).map(" ".join),
    st.text("0123456789.,eE+-_% $", max_size=45),
).map(lambda text: text[:4_097])
# What a broken or hostile sender could write into JSON.
broken_texts = st.one_of(texts, texts.map(lambda text: f"{text[:20]}{HALF}"))

odd_numbers: SearchStrategy[object] = one_of(
    [
        *(0, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 10**19, 10**400),
        *(0.5, -0.0, 1e-7, 1e308, float("inf"), float("-inf"), float("nan")),
    ]
)
scalars: SearchStrategy[object] = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), odd_numbers, broken_texts
)


def _nested(depth: int) -> object:
    value: object = "deep"
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


# As deep as JSON is still read, and a list that is long.
_bulky: SearchStrategy[object] = st.one_of(
    st.integers(1, 300).map(_nested),
    st.integers(1_000, 3_000).map(lambda length: [["1", "1"] for _ in range(length)]),
    st.integers(1_000, 3_000).map(lambda length: [None] * length),
)
json_values: SearchStrategy[object] = st.one_of(
    scalars,
    st.recursive(
        scalars,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)
        ),
        max_leaves=6,
    ),
    _bulky,
)


def places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of everything inside *value*, the whole of it first; of a long list, its head."""
    found = [path]
    if isinstance(value, dict):
        for key, inner in value.items():
            found += places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value[:_ENOUGH]):
            found += places(inner, (*path, index))
    return found


@st.composite
def mutated(draw: st.DrawFn, original: object, *, most: int = 3) -> Any:
    """*original* with one to *most* of its parts dropped, doubled, retyped or replaced."""
    value = deepcopy(original)
    for _ in range(draw(st.integers(1, most))):
        path = draw(st.sampled_from(places(value)))
        if not path:
            if draw(st.integers(0, 9)) == 0:
                value = draw(json_values)
            continue
        holder: Any = value
        for key in path[:-1]:
            holder = holder[key]
        last = path[-1]
        match draw(st.sampled_from(["drop", "replace", "replace", "retype", "double"])):
            case "drop":
                del holder[last]
            case "retype":
                holder[last] = draw(_retyped(holder[last]))
            case "double" if isinstance(holder, list):
                holder.append(deepcopy(holder[-1]))
            case _:
                holder[last] = draw(json_values)
    return value


def _retyped(value: Any) -> SearchStrategy[Any]:
    """The same thing said in another way, some of them legal."""
    ways: list[object] = [[value], {"value": value}, str(value), None]
    if isinstance(value, str):
        ways += [f" {value}", f"{value}\n", value.lower(), value[1:], f"-{value}"]
        ways += [f"{value}e400", f"{value}.5", value.translate(_FULL_WIDTH), f"{value}{HALF}"]
    elif isinstance(value, int):
        ways += [-value, value * 10**18, bool(value), 0.5]
    return st.sampled_from(ways)


_FULL_WIDTH = {ord("0") + digit: ord("\uff10") + digit for digit in range(10)}


@st.composite
def bodies(draw: st.DrawFn, original: object) -> bytes:
    """What a server may send instead of *original*: broken JSON, other JSON, no JSON."""
    kind = draw(st.sampled_from(["parts", "parts", "parts", "bytes", "cut", "flipped", "odd"]))
    body = json.dumps(original).encode()
    match kind:
        case "parts":
            return json.dumps(draw(mutated(original))).encode()
        case "cut":
            return body[: draw(st.integers(0, len(body)))]
        case "flipped":
            changed = bytearray(body)
            for _ in range(draw(st.integers(1, 4))):
                changed[draw(st.integers(0, len(body) - 1))] = draw(st.integers(0, 255))
            return bytes(changed)
        case "odd":
            return draw(one_of(_ODD_BODIES))
        case _:
            return draw(st.binary(max_size=60))


_ODD_BODIES = (
    *(b"", b"null", b"[]", b"{}", b'""', b"0", b"NaN", b"Infinity", b"-Infinity", b"1e400", b"{"),
    *(b"9" * 5_000, b"[" * 100_000, b'{"a":' * 50_000, b"[" * 300 + b"]" * 300, b"\xff\xfe\xfd"),
    *(b"<html>502 Bad Gateway</html>", b"\xef\xbb\xbf{}", b"\x1f\x8b\x08junk", b"\x00" * 64),
    *("{}".encode("utf-16"), '{"code":0}'.encode("utf-32"), b'{"code":700003,"msg":"\\ud83d"}'),
    *(b'{"code":30004,"msg":"\\u0000\\u202e<b>"}', b'{"code":99999999999999999999,"msg":[]}'),
    *(b'{"code":1e2,"msg":"x"}', b'{"code":-1,"msg":"' + b"x" * 5_000 + b'"}', b" " * 2_000_000),
)


def unreadable(original: object) -> SearchStrategy[bytes]:
    """What can by no means be read as an answer of the kind of *original*."""
    body = json.dumps(original).encode()
    return st.one_of(
        one_of(_ODD_BODIES),
        st.integers(0, len(body) - 1).map(lambda length: body[:length]),
        st.binary(max_size=60),
        json_values.map(lambda value: json.dumps(value).encode()),
    )


def environment(names: Sequence[str]) -> SearchStrategy[Mapping[str, str]]:
    """Variables as an operating system can hold them: any bytes but zero."""
    values = st.one_of(
        texts, st.binary(max_size=20).map(lambda raw: raw.decode(errors="surrogateescape"))
    ).map(lambda text: text.replace("\0", ""))
    return st.dictionaries(st.sampled_from(names), values, max_size=4)


def try_all(inputs: SearchStrategy[T], claim: Callable[[T], None], *, most: int = 500) -> int:
    """Check *claim* for up to *most* of *inputs* (fewer in the quick profile); how many it were."""
    tried = 0

    def counted(value: T) -> None:
        nonlocal tried
        tried += 1
        claim(value)

    examples = min(most, settings.default.max_examples) if settings.default else most
    if os.getenv("SOAK"):
        examples = min(most * _LONGER_WHEN_SOAKING, _LONGEST)
    unhurried = settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    unhurried(given(inputs)(counted))()
    return tried


async def try_all_on(
    inputs: SearchStrategy[T], claim: Callable[[T], Coroutine[Any, Any, None]], *, most: int = 500
) -> int:
    """As `try_all`, for a program that lives in this loop from the first input to the last."""
    loop = asyncio.get_running_loop()

    def wait_for(value: T) -> None:
        asyncio.run_coroutine_threadsafe(claim(value), loop).result(_PATIENCE_S)

    return await asyncio.to_thread(try_all, inputs, wait_for, most=most)
