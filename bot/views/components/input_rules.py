"""The rule that a refused value broke, in a sentence."""

from collections.abc import Mapping

from bot.parsing.input_rules import LONGEST, InputRule
from bot.parsing.settings import MOST_HISTORY_ROWS, MOST_LOG_LINES
from bot.parsing.targets import LONGEST_TARGET
from engine.domain.accounts.risk_limits import MAX_ORDERS
from engine.domain.targets.target import MOST_PARTS, MOST_TOKENS
from engine.domain.targets.timing import MOST_TIMES

RULES: Mapping[InputRule, str] = {
    InputRule.LENGTH: f"A value has at most {LONGEST} characters.",
    InputRule.DIGITS: "A number has at most 12 digits.",
    InputRule.NUMBER: "Write the number with digits, like 40 or 40.50.",
    InputRule.IN_FULL: "Write the number in full, like 1000.",
    InputRule.IN_USDT: "I count in USDT only.",
    InputRule.NO_PERCENTAGE: "This must be an amount of USDT, not a percentage.",
    InputRule.ABOVE_ZERO: "The number must be above 0.",
    InputRule.MOST_USDT: "The most is 1,000,000,000 USDT.",
    InputRule.TWO_DECIMALS: "The number may have two decimals, not more.",
    InputRule.UNDER_100_PERCENT: "The percentage must be under 100%.",
    InputRule.MOST_PERCENT: "The most is 100%.",
    InputRule.TIME_SPAN: "Write hours, then minutes, then seconds, like 1h 30m.",
    InputRule.WHOLE_TIMES: "Write whole numbers, like 1h 30m.",
    InputRule.INTERVAL: "The time must be from 1 s to 1 day.",
    InputRule.AGAINST_USDT: "I trade tokens for USDT only.",
    InputRule.OTHER_THAN_USDT: "USDT is what I hold. Name the token that I trade for it.",
    InputRule.ASSET_NAME: "Write the token's name as MEXC shows it, like MNTL.",
    InputRule.HELD_OR_FREE: "I know two words here: held and free.",
    InputRule.ON_OR_OFF: "I know two words here: on and off.",
    InputRule.ROWS: f"The number must be a whole one from 1 to {MOST_HISTORY_ROWS}.",
    InputRule.LOG_LINES: f"The number must be a whole one from 1 to {MOST_LOG_LINES}.",
    InputRule.LIMIT_NAME: "I know four limits: order, day, hour and price.",
    InputRule.LIMIT_VALUE: "The value is missing.",
    InputRule.ORDERS_PER_HOUR: f"Orders an hour must be a whole number from 1 to {MAX_ORDERS}.",
    InputRule.PRICE_MOVE: "The price limit must be from 1% to 100%.",
    InputRule.PERCENTAGE: "The price limit is a percentage, like 15%.",
    InputRule.ALERT_PART: (
        "The first word must be trade, error, recovery, key, plan, price, digest, weekly, "
        "smallest, quiet, zone, through, deposits or pictures."
    ),
    InputRule.ALERT_LEVEL: "I know three words here: on, silent and off.",
    InputRule.YES_OR_NO: "I know two words here: yes and no.",
    InputRule.LIGHT_OR_DARK: "I know two words here: light and dark.",
    InputRule.TIME_OF_DAY: "Write a time from 00:00 to 23:59, like 08:00.",
    InputRule.WEEKDAY: "Write a day and a time, like mon 08:00.",
    InputRule.TWO_TIMES: "Write two times, like 23:00-07:00.",
    InputRule.TIMES_DIFFER: "The two times must differ.",
    InputRule.MOST_SMALLEST: "The most is 1,000,000 USDT.",
    InputRule.WARNING_AMOUNT: "The amount is missing.",
    InputRule.MOVE: "The move must be from 1% to 100%.",
    InputRule.MOVE_MISSING: "The percentage is missing.",
    InputRule.DEPOSIT_CHOICE: "I know four words here: now, wait, ask and keep.",
    InputRule.TARGET_LENGTH: f"A target has at most {LONGEST_TARGET} characters.",
    InputRule.SUM_OF_100: "The percentages must add up to 100.",
    InputRule.PARTS_AND_NAMES: "Write as many parts as names, like BTC:ETH:USDT 5:3:2.",
    InputRule.NAMED_TWICE: "Each name may stand there once.",
    InputRule.ONLY_USDT: "Name a token too, like BTC 80% USDT 20%.",
    InputRule.MOST_TOKENS: f"The most is {MOST_TOKENS} tokens.",
    InputRule.USDT_ONCE: "USDT is fixed here already. Name tokens for the rest.",
    InputRule.PART_SIZE: f"A part is at most {MOST_PARTS:,}.",
    InputRule.LOW_UNDER_HIGH: "The first number must be under the second one.",
    InputRule.CENTRE_INSIDE: "The target must lie between the two numbers.",
    InputRule.POINTS_AND_PERCENT: "Write points and a percentage, like 5pp 25%.",
    InputRule.BAND: "Write a name and two percentages, like BTC 45..60.",
    InputRule.DESTINATION: "I know four words here: centre, half, edge and usual.",
    InputRule.COOLDOWN: "The rest must be from 1 min to 7 days, like 30m.",
    InputRule.SCHEDULE: "Write times from 00:00 to 23:59, like mon 09:00.",
    InputRule.MOST_TIMES: f"A day has at most {MOST_TIMES} times.",
    InputRule.CRASH_GUARD: "Write a fall within a day, like 20% or 20% pause.",
    InputRule.SPAN: "Write 24h, 7d, 30d, all, or a date like 2026-11-01.",
    InputRule.DEPOSIT_WAIT: "The wait must be from 1 min to 1 day, like 15m.",
    InputRule.EXECUTION_MODE: "I know three words here: auto, maker and market.",
    InputRule.SLIPPAGE: "Write a percentage from 0.01% to 20%, like 1% or 1% strict.",
    InputRule.TRADE_SPAN: "The time must be from 10 min to 1 day, like 1h 30m.",
}
"""For all but FORM, which the right form explains."""
