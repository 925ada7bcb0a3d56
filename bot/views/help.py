"""`/help` on one screen, and the command menu."""

from collections.abc import Sequence

from bot.interaction.message import Message
from bot.views.components.keyboards import do, keyboard
from bot.views.components.layout import lines

COMMANDS: Sequence[tuple[str, str]] = (
    ("status", "Your account now"),
    ("rebalance", "Show the plan, trade it on a tap"),
    ("buy", "Buy once, like 20; or 20 over 1h"),
    ("sell", "Sell once, like 50%; or 50% over 1h"),
    ("pause", "Stop trading; /pause 1h: for an hour"),
    ("stop", "The same as /pause"),
    ("resume", "Start trading"),
    ("settarget", "USDT to hold, like 40"),
    ("target", "What to hold, like 25%"),
    ("setthreshold", "How far it may drift, like 5%"),
    ("setinterval", "Time between checks, like 2m"),
    ("setpair", "Token to trade, like MNTL"),
    ("settings", "All settings, with buttons"),
    ("limits", "What no order may exceed"),
    ("alerts", "Which messages you get"),
    ("warn", "Warn when a token runs low"),
    ("pricealert", "Tell of a price move, like 10%"),
    ("mode", "Trade, ask first, or only report"),
    ("deposits", "What I do when USDT arrives"),
    ("bands", "A band of its own, like BTC 45..60"),
    ("destination", "Where a trade leads, like half"),
    ("protect", "What I never sell, like MNTL 50000"),
    ("execution", "Orders: bound, waiting or market"),
    ("schedule", "Trade at set times, like 09:00"),
    ("crashguard", "Stop buying after a fall, like 20%"),
    ("cooldown", "Rest after a trade, like 30m"),
    ("slippage", "How far an order may trade, like 1%"),
    ("why", "What the last check decided"),
    ("history", "The last trades"),
    ("balance", "What you hold"),
    ("profit", "What you made, like 7d"),
    ("chart", "Your account as a picture"),
    ("dryrun", "Trade on paper: on or off"),
    ("count", "Count open orders: held or free"),
    ("connect", "Add your MEXC key"),
    ("disconnect", "Forget the key"),
    ("export", "All trades as a CSV file"),
    ("doctor", "Check what is wrong"),
    ("members", "Who may do what here"),
    ("invite", "Let a person in with a code"),
    ("share", "Let others see your account"),
    ("leave", "Stop seeing another's account"),
    ("audit", "Who changed what"),
    ("halt", "Stop all chats at once (owner)"),
    ("logs", "The last log lines (owner)"),
    ("version", "Version and uptime"),
    ("help", "All commands"),
    ("start", "Welcome and the next step"),
)

# What Telegram shows before the first message (at most 120 and 512 characters).
SHORT_DESCRIPTION = (
    "Holds a fixed amount of USDT on your MEXC account. It answers only people it knows."
)
DESCRIPTION = (
    "I hold your USDT on target at MEXC. I check every few minutes, and buy or sell one token when "
    "your balance is too far from the target.\n\nYou set the target and the limits. You can pause "
    "at any time. I report every trade.\n\nI answer only people my owner let in. With a code, send "
    "/start and the code."
)

_Line = tuple[str, str]
# The commands of one line, as they are typed, and what they do.
_SECTIONS: Sequence[tuple[str, Sequence[_Line]]] = (
    (
        "Trading",
        (
            ("/status, /balance", "your account now"),
            ("/rebalance", "plan, trade on a tap"),
            ("/buy 20, /sell 50% over 1h", "by hand"),
            ("/pause 1h, /stop, /resume", "stop, start"),
            ("/mode ask, /deposits ask", "ask first"),
        ),
    ),
    (
        "Settings",
        (
            ("/settings", "all of them, with buttons"),
            ("/settarget 40, /target 25%", "the target"),
            ("/setthreshold 5%, /bands", "drift"),
            ("/setinterval 2m, /schedule", "when"),
            ("/setpair MNTL, /destination", "token, aim"),
            ("/limits, /slippage, /cooldown", "bounds"),
            ("/count held, /protect", "what I count"),
            ("/dryrun on, /execution auto", "trading"),
            ("/alerts, /warn, /crashguard", "alarms"),
            ("/pricealert MNTL 10%", "a price moved"),
        ),
    ),
    (
        "Looking back",
        (
            ("/why", "the last decisions"),
            ("/profit, /chart", "what you made, drawn"),
            ("/history, /export", "trades, as a file"),
        ),
    ),
    (
        "This bot",
        (
            ("/connect, /disconnect", "MEXC key"),
            ("/doctor, /version, /start", "check me"),
            ("/members, /invite, /share", "people"),
            ("/audit, /leave", "changes, stop watching"),
        ),
    ),
)
_FOR_THE_OWNER: _Line = ("/halt, /logs", "stop all chats, log")


def help_view(*, is_owner: bool) -> Message:
    """At most 28 lines; what only the owner may do is shown to the owner only."""
    sections = [
        lines(f"<b>{title}</b>", *(f"{typed} – {does}" for typed, does in rows))
        for title, rows in _SECTIONS
    ]
    owners = " – ".join(_FOR_THE_OWNER) if is_owner else None
    return Message.of(
        "I hold your USDT on target at MEXC.",
        *sections,
        owners,
        keyboard=keyboard(
            [do("Status", "status"), do("Why", "why"), do("Balance", "balance")],
            [do("Pause", "pause"), do("Resume", "resume"), do("Rebalance", "rebalance")],
            [do("Buy", "buy"), do("Sell", "sell"), do("Chart", "chart")],
            [do("Target", "settarget"), do("Threshold", "setthreshold"), do("Limits", "limits")],
            [do("Interval", "setinterval"), do("Pair", "setpair"), do("Count", "count")],
            [do("Alerts", "alerts"), do("Warn", "warn"), do("Settings", "settings")],
            [do("Dry run", "dryrun"), do("History", "history"), do("Export", "export")],
            [do("Mode", "mode"), do("Doctor", "doctor"), do("Profit", "profit")],
            [do("Connect", "connect"), do("Disconnect", "disconnect"), do("Deposits", "deposits")],
            [do("Members", "members"), do("Invite", "invite"), do("Audit", "audit")],
            [do("Share", "share"), do("Leave", "leave"), do("Version", "version")],
            [do("Shares", "target"), do("Execution", "execution"), do("Slippage", "slippage")],
            [do("Bands", "bands"), do("Destination", "destination"), do("Protect", "protect")],
            [
                do("Schedule", "schedule"),
                do("Cooldown", "cooldown"),
                do("Crashguard", "crashguard"),
            ],
            [do("Pricealert", "pricealert")],
            [do("Halt", "halt"), do("Logs", "logs")] if is_owner else [],
        ),
    )


def shared_help_view(commands: Sequence[tuple[str, str]]) -> Message:
    """With another chat's account: what the reader may do with it."""
    return Message.of(
        "What you can do with the account that you see here:",
        *(f"/{name} – {does}" for name, does in commands),
        keyboard=keyboard(
            [do("Status", "status"), do("Why", "why"), do("Balance", "balance")],
            [do("Pause", "pause"), do("Resume", "resume"), do("Rebalance", "rebalance")],
            [do("Target", "settarget"), do("Threshold", "setthreshold")],
            [do("History", "history"), do("Profit", "profit"), do("Chart", "chart")],
            [do("Alerts", "alerts"), do("Leave", "leave")],
        ),
    )
