"""`/help` on one screen, and the command menu."""

from collections.abc import Sequence

from bot.messages import Message
from bot.views.buttons import do, keyboard
from bot.views.layout import lines

COMMANDS: Sequence[tuple[str, str]] = (
    ("status", "How things stand"),
    ("rebalance", "Show the plan, trade it on a tap"),
    ("pause", "Stop trading"),
    ("resume", "Start trading"),
    ("settarget", "USDT to hold, like 40"),
    ("setthreshold", "How far it may drift, like 5%"),
    ("setinterval", "Time between checks, like 2m"),
    ("setpair", "Token to trade, like MNTL"),
    ("settings", "All settings, with buttons"),
    ("limits", "What no order may exceed"),
    ("alerts", "What I tell you, and how loud"),
    ("warn", "Warn when a token runs low"),
    ("mode", "Trade, ask first, or only tell"),
    ("why", "What the last check decided"),
    ("history", "The last trades"),
    ("balance", "What you hold"),
    ("dryrun", "Trade on paper: on or off"),
    ("count", "Count open orders: held or free"),
    ("connect", "Add your MEXC key"),
    ("disconnect", "Forget the key"),
    ("export", "All trades as a CSV file"),
    ("doctor", "Look for what is wrong"),
    ("members", "Who may do what here"),
    ("invite", "Let somebody in with a code"),
    ("audit", "Who changed what"),
    ("halt", "Stop all chats at once (owner)"),
    ("logs", "The last log lines (owner)"),
    ("version", "Version and uptime"),
    ("help", "All commands"),
    ("start", "Welcome and the next step"),
)

# What Telegram shows before the first word (at most 120 and 512 characters).
SHORT_DESCRIPTION = (
    "Holds a fixed amount of USDT on your MEXC account. It answers only people it knows."
)
DESCRIPTION = (
    "I hold your USDT on target at MEXC: I look every few minutes and buy or sell one token when "
    "your balance has drifted too far.\n\nYou set the target, the limits and the pause; every trade "
    "is told. I answer only people my owner let in: with a code, send /start and the code."
)
_SECTIONS = (
    ("Trading", ("status", "rebalance", "pause", "resume", "mode")),
    (
        "Settings",
        (
            *("settarget", "setthreshold", "setinterval", "setpair", "limits", "count", "dryrun"),
            *("alerts", "settings"),
        ),
    ),
    ("Looking back", ("why", "history", "balance", "export")),
    ("Key", ("connect", "disconnect")),
    ("Me", ("doctor", "version", "halt", "logs", "start")),
)
_FOR_THE_OWNER = frozenset({"halt", "logs"})
_EXAMPLES = {
    "settarget": "40",
    "setthreshold": "5%",
    "setinterval": "2m",
    "setpair": "MNTL",
    "count": "held",
    "dryrun": "on",
    "mode": "ask",
}
_SHORT = {
    "status": "how things stand",
    "rebalance": "plan, trade on a tap",
    "pause": "stop trading",
    "resume": "start trading",
    "settarget": "USDT to hold",
    "setthreshold": "drift allowed",
    "setinterval": "time between checks",
    "setpair": "token to trade",
    "settings": "all of them, with buttons",
    "limits": "what no order may exceed",
    "alerts": "what I tell you; also /warn",
    "mode": "trade, ask or only tell",
    "halt": "stop all chats (owner)",
    "count": "count open orders",
    "dryrun": "trade on paper",
    "why": "the last decision",
    "history": "the last trades",
    "balance": "what you hold",
    "export": "trades as a CSV file",
    "connect": "add your MEXC key",
    "disconnect": "forget the key",
    "doctor": "look for what is wrong",
    "version": "version and uptime",
    "logs": "log lines (owner)",
    "start": "the next step",
}


def help_view(*, is_owner: bool) -> Message:
    """At most 28 lines; what only the owner may do is shown to him alone."""
    # One line for all three, that everything stays on one screen.
    people = "/members, /invite, /audit – people"
    sections = [
        lines(
            f"<b>{title}</b>",
            *(_line(name) for name in names if is_owner or name not in _FOR_THE_OWNER),
        )
        for title, names in _SECTIONS
    ]
    return Message(
        lines("I hold your USDT on target at MEXC.", *sections, people),
        keyboard(
            [do("Status", "status"), do("Why", "why"), do("Balance", "balance")],
            [do("Pause", "pause"), do("Resume", "resume"), do("Rebalance", "rebalance")],
            [do("Target", "settarget"), do("Threshold", "setthreshold"), do("Limits", "limits")],
            [do("Interval", "setinterval"), do("Pair", "setpair"), do("Count", "count")],
            [do("Alerts", "alerts"), do("Warn", "warn")],
            [do("Dry run", "dryrun"), do("History", "history"), do("Export", "export")],
            [
                do("Connect", "connect"),
                do("Disconnect", "disconnect"),
                do("Doctor", "doctor"),
                do("Version", "version"),
                do("Mode", "mode"),
            ],
            [do("Members", "members"), do("Invite", "invite"), do("Audit", "audit")],
            [do("Halt", "halt"), do("Logs", "logs")] if is_owner else [],
        ),
    )


def _line(name: str) -> str:
    example = f" {_EXAMPLES[name]}" if name in _EXAMPLES else ""
    return f"/{name}{example} – {_SHORT[name]}"
