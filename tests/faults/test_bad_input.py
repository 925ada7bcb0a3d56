"""Strange text at every reader of text: understood exactly, or refused in its own words."""

import re
import string
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from unicodedata import category, normalize

import pytest
from hypothesis import strategies as st

from bot.config.key_file import load_or_create_keys
from bot.config.settings import BadSettings, ProcessSettings
from bot.interaction.callback_data import RunCommand, decode
from bot.interaction.message import TEXT_LIMIT, plain_text, split
from bot.parsing.settings import (
    Ambiguous,
    NotUnderstood,
    Topic,
    parse_counting,
    parse_history_rows,
    parse_interval,
    parse_limits,
    parse_log_lines,
    parse_switch,
    parse_symbol,
    parse_target,
    parse_threshold,
)
from bot.parsing.spans import parse_span
from bot.parsing.targets import parse_any_target
from bot.updates.invisible_characters import without_direction
from bot.views.components.layout import escape
from engine.domain.accounts.risk_limits import Limits
from engine.domain.accounts.settings import MAX_INTERVAL, MAX_TARGET, Settings
from engine.domain.market.balances import Counting
from engine.domain.market.decimals import decimal_from_text, plain
from engine.domain.profit.spans import Span
from engine.domain.targets.bands import Threshold
from engine.domain.targets.notation import target_text
from engine.domain.targets.target import (
    Basket,
    FixedUsdt,
    TokenWorth,
    UsdtRange,
    UsdtShare,
)
from tests.fakes.telegram_html import visible_text
from tests.faults.strange import broken_texts, environment, texts, try_all
from tests.sampling import LONG

Record = Callable[[str, object], None]

SECRET = "5ec3e7c0ffee5ec3e7c0ffee5ec3e7ab"
PARSERS: Mapping[Topic, Callable[[str], object]] = {
    Topic.TARGET: parse_target,
    Topic.GOAL: parse_any_target,
    Topic.THRESHOLD: parse_threshold,
    Topic.INTERVAL: parse_interval,
    Topic.PAIR: parse_symbol,
    Topic.COUNTING: parse_counting,
    Topic.DRY_RUN: parse_switch,
    Topic.HISTORY: parse_history_rows,
    Topic.PROFIT: parse_span,
    Topic.LOGS: parse_log_lines,
    Topic.LIMITS: parse_limits,
}
VARIABLES = (
    *("TELEGRAM_TOKEN", "TELEGRAM_API_URL", "MEXC_API_URL", "AUTHORIZED_CHATS", "DATABASE_URL"),
    *("ENCRYPTION_KEYS", "TARGET_USDT", "TRADING_PAIR", "THRESHOLD", "CHECK_INTERVAL", "DELTA"),
    *("ERROR_BACKOFF", "LOG_LEVEL", "LOG_FILE", "DYNO"),
)


def test_a_parser_understands_a_value_or_says_which_it_wanted(
    record_property: Record,
):
    def claim(typed: tuple[Topic, str]) -> None:
        topic, text = typed
        value = _parsed(topic, text)
        if isinstance(value, NotUnderstood):
            assert value.topic is topic
            return
        for reading in _readings(topic, value):
            assert _is_possible(reading)
            assert _says(text, reading)

    limits = st.builds(
        "{} {}".format,
        st.sampled_from(["order", "day", "hour", "price", "auto", "x"]),
        broken_texts,
    )
    inputs = st.one_of(
        st.tuples(st.sampled_from(list(PARSERS)), broken_texts),
        st.tuples(st.just(Topic.LIMITS), limits),
    )

    record_property("bad_inputs", try_all(inputs, claim))


def _parsed(topic: Topic, text: str) -> object:
    try:
        return PARSERS[topic](text)
    except NotUnderstood as refused:
        return refused


def _readings(topic: Topic, value: object) -> list[object]:
    if isinstance(value, Ambiguous):
        assert value.topic is topic
        assert 1 <= len(value.options) <= 8
        return [PARSERS[topic](option) for option in value.options]
    return [value]


def _is_possible(value: object) -> bool:  # noqa: PLR0911 - one return a kind
    match value:
        case FixedUsdt() | UsdtRange() | UsdtShare() | TokenWorth() | Basket():
            return parse_any_target(target_text(value)) == value
        case Span() | date():
            return True
        case Decimal():
            return value.is_finite() and 0 < value <= MAX_TARGET
        case Threshold(quote_amount=amount):
            return amount is None or amount <= MAX_TARGET  # else it refuses to exist wrong
        case timedelta():
            return timedelta() < value <= MAX_INTERVAL
        case dict():
            return bool(value) and Limits(**value) is not None  # it refuses to exist wrong
        case Counting() | int():
            return value in {*Counting, *range(101)}  # on and off are ints too
        case _:
            name = str(value).removesuffix("USDT")
            return 1 <= len(name) <= 16 and all(map(_is_of_a_name, name))


def _says(text: str, value: object) -> bool:  # noqa: PLR0911 - one return a kind
    """Whether every digit of *value* was typed, in its order, and nothing was read into it."""
    typed = re.sub(r"[^0-9]", "", text).strip("0")
    match value:
        case FixedUsdt(amount):
            return _digits(amount) == typed
        case UsdtRange() | UsdtShare() | TokenWorth() | Basket():
            return bool(typed)
        case Span() | date():
            return text.isascii()
        case Decimal():
            return _digits(value) == typed
        case Threshold(relative=part, quote_amount=amount):
            return _digits(amount or part or Decimal()) == typed
        case dict():
            stated = "".join(_digits(Decimal(limit)) for limit in value.values() if limit)
            return stated == typed
        case timedelta() | int() | Counting():
            return "".join(text.split()).isascii()
        case _:
            name = _name_within(str(value).removesuffix("USDT"))
            typed = "".join(text.split())
            return any(name in _name_within(normalize(form, typed)) for form in ("NFC", "NFKC"))


def _is_of_a_name(character: str) -> bool:
    if character.isascii():
        return character in f"{string.ascii_letters}{string.digits}$"
    return category(character)[0] in "LNMS"  # letters, numbers, marks, symbols


def _name_within(text: str) -> str:
    """Without what stands between the letters, and whatever their case."""
    return "".join(filter(_is_of_a_name, text.casefold()))


def _digits(amount: Decimal) -> str:
    return plain(amount).replace(".", "").strip("0")


def test_a_number_is_read_exactly_or_not_at_all(record_property: Record):
    def claim(text: str) -> None:
        try:
            amount = decimal_from_text(text)
        except ValueError:
            return
        assert amount.is_finite()
        assert Fraction(amount) == Fraction(text)
        assert len(plain(amount)) <= 100

    record_property("bad_inputs", try_all(broken_texts, claim))


def test_a_button_of_nobody_s_making_is_no_button(record_property: Record):
    def claim(text: str) -> None:
        press = decode(text)

        assert press is None or (press.encode() == text and len(text.encode()) <= 64)
        assert not isinstance(press, RunCommand) or press.command != "start"

    part = st.one_of(broken_texts, st.sampled_from(["do", "yes", "pick", "page", "order", "0"]))
    inputs = st.one_of(broken_texts, st.lists(part, min_size=1, max_size=5).map(":".join))

    record_property("bad_inputs", try_all(inputs, claim))


@LONG
def test_any_text_goes_through_telegram_in_parts_that_it_takes(record_property: Record):
    def claim(pieces: list[tuple[str, str]]) -> None:
        markup = "".join(_tagged(tag, text) for tag, text in pieces)
        parts = split(markup)

        for part in parts:
            shown = visible_text(part)  # raises where Telegram would refuse the part
            assert shown.strip()
            assert len(shown.encode("utf-16-le")) // 2 <= TEXT_LIMIT
            assert plain_text(part) == shown
        assert _solid("".join(map(visible_text, parts))) == _solid(
            "".join(text for _, text in pieces)
        )

    tags = st.sampled_from(["", "b", "pre", "code", "i b", "blockquote pre code"])
    inputs = st.lists(st.tuples(tags, st.one_of(texts, _long_texts())), max_size=6)

    record_property("bad_inputs", try_all(inputs, claim, most=200))


def test_text_that_is_no_markup_is_cut_all_the_same(record_property: Record):
    def claim(text: str) -> None:
        for part in split((text * 9)[:30_000]):
            assert len(plain_text(part).encode("utf-16-le", "surrogatepass")) // 2 <= TEXT_LIMIT

    raw = st.lists(
        st.one_of(broken_texts, st.sampled_from(["<b>", "</i>", "<pre x", "&amp", "&#1", ";"])),
        max_size=8,
    ).map("".join)

    record_property("bad_inputs", try_all(raw, claim, most=100))


def _tagged(tags: str, text: str) -> str:
    opened, closed = "", ""
    for tag in tags.split():
        opened, closed = f"{opened}<{tag}>", f"</{tag}>{closed}"
    return f"{opened}{escape(text)}{closed}"


def _long_texts() -> st.SearchStrategy[str]:
    return st.builds(
        lambda unit, count: unit * count,
        st.sampled_from(["a\n", "<", "&amp;", "😀", "\n\n\u202e", "x" * 99 + "\n", "é "]),
        st.integers(0, 5_000),
    )


def _solid(text: str) -> str:
    """Without blanks, for those around a cut may go, and without marks that turn the direction."""
    return "".join(without_direction(text).split())


def test_any_environment_is_taken_or_explained_without_its_secrets(record_property: Record):
    def claim(env: Mapping[str, str]) -> None:
        try:
            settings = ProcessSettings.from_env(env)
        except BadSettings as refused:
            for problem in refused.problems:
                assert problem.startswith(VARIABLES)
                assert problem.isascii()
                assert len(problem.splitlines()) == 1
                assert SECRET not in problem
            return
        assert isinstance(settings.default_settings, Settings)  # it refuses to exist wrong
        assert settings.key_file is None or settings.key_file.suffix == ".key"
        assert SECRET not in repr(settings)

    secrets = st.builds(
        lambda name, before, after: {name: f"{before}{SECRET}{after}"},
        st.sampled_from([n for n in VARIABLES if n not in {"LOG_FILE", "DYNO"}]),
        st.sampled_from(["", "postgres://u:", "sqlite://", "https://x:", "1,", "12345:", "5%"]),
        st.sampled_from(["", "@host/name", "@[::1", ":", ",", "%", "@host:port/name"]),
    )
    addresses = st.builds(
        lambda name, scheme, rest: {name: f"{scheme}{rest}".replace("\0", "")},
        st.sampled_from(["DATABASE_URL", "TELEGRAM_API_URL", "MEXC_API_URL"]),
        st.sampled_from(
            [
                "sqlite://",
                "sqlite:///",
                "sqlite+x:///",
                "postgres://",
                "postgresql+x://",
                "http://",
            ]
        ),
        st.one_of(texts, st.text("/.:@?#%[]=&a0 ", max_size=12)),
    )
    inputs = st.one_of(environment(VARIABLES), secrets, addresses)

    record_property("bad_inputs", try_all(inputs, claim))


@pytest.mark.parametrize(
    "url", ["sqlite:///.", "sqlite:////", "sqlite:///..", "sqlite:///data/", "sqlite:///data/.."]
)
def test_a_database_must_be_a_file_with_a_name(url: str):
    with pytest.raises(BadSettings) as refused:
        ProcessSettings.from_env({"DATABASE_URL": url})

    assert "DATABASE_URL names no file" in str(refused.value)


def test_a_key_file_with_anything_in_it_is_refused_and_kept(
    tmp_path: Path, record_property: Record
):
    path = tmp_path / "ballast.key"

    def claim(content: bytes) -> None:
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(BadSettings) as refused:
            load_or_create_keys(path)

        assert "does not hold Fernet keys" in str(refused.value)
        assert SECRET not in str(refused.value)
        assert path.read_bytes() == content

    content = st.one_of(
        st.binary(max_size=200),
        texts.map(lambda text: text.encode()),
        texts.map(lambda text: f"{text}\n{SECRET}\n".encode()),
    )

    record_property("bad_inputs", try_all(content, claim))
