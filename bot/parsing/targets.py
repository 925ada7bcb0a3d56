"""Parses any kind of target: the other way is `engine/domain/targets/notation.py`.

Nothing is guessed: what may mean something else is asked about, and a refusal names the rule that
was broken.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from bot.parsing.input_rules import InputRule, amount_rule, percent_rule
from bot.parsing.settings import (
    Ambiguous,
    NotUnderstood,
    Topic,
    amounts_in,
    is_certain,
    numbers_in,
    parse_symbol,
)
from engine.domain.market.decimals import ZERO, plain
from engine.domain.market.pairs import USDT, Asset, base_of
from engine.domain.targets.notation import target_text
from engine.domain.targets.target import (
    MOST_PARTS,
    MOST_TOKENS,
    PERCENT,
    Basket,
    FixedUsdt,
    Target,
    TokenWorth,
    UsdtRange,
    UsdtShare,
)

LONGEST_TARGET = 400
_MOST_READINGS = 4
# Each number that is read in two ways doubles them.
_MOST_TRIED = 16
_CENTS = 2

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_UNIT = r"(?: ?(?:USDT|USD|\$))?"
_MONEY = rf"\$? ?{_NUMBER}{_UNIT}"
_A_NUMBER = re.compile(r"(?<![\w,])(?<![0-9]\.)[0-9]+(?:[.,][0-9]+)*(?![\w])", re.ASCII)
_SHARE = re.compile(rf"(?:USDT )?({_NUMBER}) ?%(?: USDT)?", re.IGNORECASE)
_AMOUNT = re.compile(rf"({_MONEY})|USDT ({_NUMBER})", re.IGNORECASE)
_RANGE = re.compile(
    rf"(?:(?P<centre>{_MONEY}) in )?(?P<low>{_MONEY}) ?(?P<dots>\.{{2,3}}|…|[-–—]|to) ?(?P<high>{_MONEY})",
    re.IGNORECASE,
)
_FLOOR = re.compile(rf"(?P<sign>>=|=>|≥|at least|>) ?(?P<edge>{_MONEY})", re.IGNORECASE)
_CEILING = re.compile(rf"(?P<sign><=|=<|≤|at most|<) ?(?P<edge>{_MONEY})", re.IGNORECASE)
_REST = re.compile(rf"(?P<fixed>{_MONEY})[,;]? (?:the )?rest (?:in )?(?P<parts>.+)", re.IGNORECASE)
_PARTS = re.compile(r"(?P<names>[^ :]+(?: ?: ?[^ :]+)*) (?P<parts>[0-9]+(?: ?: ?[0-9]+)*)")
_BARE_PARTS = re.compile(r"[0-9]+(?: ?: ?[0-9]+)+")
_WORTH = re.compile(rf"(?P<name>[^ ]+) (?P<amount>{_MONEY})", re.IGNORECASE)
_REVERSED_WORTH = re.compile(rf"(?P<amount>{_NUMBER}) (?P<name>[^ 0-9][^ ]*)")
_ENTRY = re.compile(rf"(?P<number>{_NUMBER})(?P<percent>%?)")
_EXACT_DOTS = {"..", "...", "…"}
_EXACT_SIGNS = {">=", "=>", "≥", "at least", "<=", "=<", "≤", "at most"}


def parse_any_target(text: str, *, basket: Sequence[Asset] = ()) -> Target | Ambiguous:
    """Parse "40", "35..50", "40 in 35..50", ">=35", "25%", "MNTL 100", "BTC 50 ETH 30 USDT 20",
    "BTC:ETH:USDT 5:3:2", "40 USDT, rest MNTL:MX 2:1". Bare parts, "5:3:2", are of the *basket*.
    """
    tidy = " ".join(text.split())
    if not tidy:
        raise _refused(InputRule.FORM)
    if len(tidy) > LONGEST_TARGET:
        raise _refused(InputRule.TARGET_LENGTH)
    numbers = _A_NUMBER.findall(tidy)
    readings = [numbers_in(number) for number in numbers]
    if not all(readings):
        raise _refused(InputRule.DIGITS)
    if all(is_certain(number) for number in numbers):
        return _parse(_with_numbers(tidy, [reading[0] for reading in readings]), basket)
    meant = itertools.islice(itertools.product(*readings), _MOST_TRIED)
    return _asked(_with_numbers(tidy, found) for found in meant)


def _parse(text: str, basket: Sequence[Asset]) -> Target | Ambiguous:
    """Parse a text in which all numbers are plain."""
    for form, read in _FORMS:
        if found := form.fullmatch(text):
            return read(found)
    if _BARE_PARTS.fullmatch(text):
        return _basket_of(basket, text.split(":"))
    parts = _PARTS.fullmatch(text)
    if parts is not None and ":" in text:
        return _basket_of(_assets(parts["names"].split(":")), parts["parts"].split(":"))
    return _tokens(text)


def _share(found: re.Match[str]) -> Target:
    percent = Decimal(found[1])
    _check(percent_rule(percent))
    return UsdtShare(percent)


def _fixed(found: re.Match[str]) -> Target:
    return FixedUsdt(_money(found[1] or found[2]))


def _tokens(text: str) -> Target | Ambiguous:
    if (worth := _WORTH.fullmatch(text)) and not _ENTRY.fullmatch(worth["name"]):
        asset, amount = _asset(worth["name"]), _money(worth["amount"])
        return FixedUsdt(amount) if asset == USDT else TokenWorth(asset, amount)
    if worth := _REVERSED_WORTH.fullmatch(text):
        return _asked([f"{worth['name']} {worth['amount']}"])
    if (entries := _entries(text)) is None:
        amounts_in(text, Topic.GOAL)  # names the rule that an amount breaks
        raise _refused(InputRule.FORM)
    return _shares(*entries)


def _entries(text: str) -> tuple[list[Asset], list[Decimal], bool] | None:
    """Split into names, numbers, and whether one is a percentage; None if that is no list."""
    text = re.sub(r"[:=] ?(?=[0-9])", " ", re.sub(r" %", "%", text))
    words = re.split(r"[,;+]? |[,;+](?=[^0-9])", text)
    is_number = [_ENTRY.fullmatch(word) for word in words]
    names = [word for word, number in zip(words, is_number, strict=True) if number is None]
    numbers = [number for number in is_number if number is not None]
    ends = range(0, len(words), 2)
    alternate = all(
        (is_number[i] is None) != (is_number[i + 1] is None) for i in ends if i + 1 < len(words)
    )
    if not numbers or len(names) != len(numbers) or not alternate:
        return None
    is_percent = any(number["percent"] for number in numbers)
    return _assets(names), [Decimal(number["number"]) for number in numbers], is_percent


def _shares(assets: list[Asset], numbers: list[Decimal], is_percent: bool) -> Target | Ambiguous:
    """Percentages that come to 100. Others are asked about: parts, or a rest in USDT."""
    if any(number != round(number, _CENTS) for number in numbers):
        raise _refused(InputRule.TWO_DECIMALS)
    total = sum(numbers, ZERO)
    rest = PERCENT - total
    exact = [str(int(number.scaleb(_CENTS))) for number in numbers]
    whole = str(int(rest.scaleb(_CENTS)))
    if rest == ZERO:
        return _basket_of(assets, exact)
    if len(assets) == 1 and is_percent and USDT not in assets and rest > ZERO:
        return _basket_of([*assets, USDT], [*exact, whole])
    options = [_basket_of(assets, exact)] if len(assets) > 1 else []
    if rest > ZERO and USDT not in assets:
        options.insert(0, _basket_of([*assets, USDT], [*exact, whole]))
    if not options:
        raise _refused(InputRule.MOST_PERCENT)
    return Ambiguous(Topic.GOAL, tuple(map(target_text, options)))


def _rest(found: re.Match[str]) -> Target:
    """The parts of what is left beside a fixed amount: one token, or several."""
    fixed, text = _money(found["fixed"]), found["parts"]
    if parts := _PARTS.fullmatch(text):
        return _basket_of(_assets(parts["names"].split(":")), parts["parts"].split(":"), fixed)
    if " " not in text and ":" not in text:
        return _basket_of(_assets([text]), ["1"], fixed)
    entries = _entries(text)
    if entries is None or sum(entries[1], ZERO) != PERCENT:
        raise _refused(InputRule.SUM_OF_100)
    counts = [str(int(number.scaleb(_CENTS))) for number in entries[1]]
    return _basket_of(entries[0], counts, fixed)


def _basket_of(
    assets: Sequence[Asset], counts: Sequence[str], fixed: Decimal | None = None
) -> Basket:
    parts = [int(count) for count in counts]
    if len(assets) != len(parts):
        raise _refused(InputRule.PARTS_AND_NAMES)
    if len(set(assets)) < len(assets):
        raise _refused(InputRule.NAMED_TWICE)
    if set(assets) <= {USDT}:
        raise _refused(InputRule.ONLY_USDT)
    if len(set(assets) - {USDT}) > MOST_TOKENS:
        raise _refused(InputRule.MOST_TOKENS)
    if fixed is not None and USDT in assets:
        raise _refused(InputRule.USDT_ONCE)
    if max(parts) > MOST_PARTS:
        raise _refused(InputRule.PART_SIZE)
    if not any(parts):
        raise _refused(InputRule.ABOVE_ZERO)
    return Basket.of(zip(assets, parts, strict=True), fixed_quote=fixed)


def _assets(names: Iterable[str]) -> list[Asset]:
    return [_asset(name.strip()) for name in names]


def _asset(name: str) -> Asset:
    if name.upper() == USDT:
        return USDT
    if name.isdecimal():
        raise _refused(InputRule.ASSET_NAME)
    try:
        return base_of(parse_symbol(name))
    except NotUnderstood as e:
        raise _refused(e.rule) from e


def _range(found: re.Match[str]) -> Target | Ambiguous:
    low, high = _money(found["low"]), _money(found["high"])
    centre = None if found["centre"] is None else _money(found["centre"])
    if low >= high:
        raise _refused(InputRule.LOW_UNDER_HIGH)
    if centre is not None and not low <= centre <= high:
        raise _refused(InputRule.CENTRE_INSIDE)
    target = UsdtRange(low=low, high=high, centre=centre)
    return target if found["dots"] in _EXACT_DOTS else _meant(target)


def _one_edge(found: re.Match[str]) -> Target | Ambiguous:
    edge = _money(found["edge"])
    is_floor = found.re is _FLOOR
    target = UsdtRange(low=edge) if is_floor else UsdtRange(high=edge)
    return target if found["sign"].lower() in _EXACT_SIGNS else _meant(target)


def _money(text: str) -> Decimal:
    amount = Decimal(re.sub(r"[^0-9.]", "", text))
    _check(amount_rule(amount))
    return amount


def _asked(texts: Iterable[str]) -> Ambiguous:
    """Return what each of *texts* may mean; raise what the first breaks where none means anything."""
    options: list[str] = []
    broken: list[NotUnderstood] = []
    for text in texts:
        try:
            meant = _parse(text, ())
        except NotUnderstood as e:
            broken.append(e)
            continue
        found = meant.options if isinstance(meant, Ambiguous) else (target_text(meant),)
        options += [option for option in found if option not in options]
    if not options:
        raise broken[0]
    return Ambiguous(Topic.GOAL, tuple(options[:_MOST_READINGS]))


def _meant(target: Target) -> Ambiguous:
    return Ambiguous(Topic.GOAL, (target_text(target),))


def _with_numbers(text: str, numbers: Sequence[Decimal]) -> str:
    line = iter(numbers)
    return _A_NUMBER.sub(lambda _: plain(next(line)), text)


def _check(rule: InputRule | None) -> None:
    if rule is not None:
        raise _refused(rule)


def _refused(rule: InputRule) -> NotUnderstood:
    return NotUnderstood(Topic.GOAL, rule)


_FORMS: Sequence[tuple[re.Pattern[str], Callable[[re.Match[str]], Target | Ambiguous]]] = (
    (_SHARE, _share),
    (_AMOUNT, _fixed),
    (_RANGE, _range),
    (_FLOOR, _one_edge),
    (_CEILING, _one_edge),
    (_REST, _rest),
)
