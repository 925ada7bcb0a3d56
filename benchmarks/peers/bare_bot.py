"""A bot that only polls: `bare_bot.py bot|stack URL TOKEN`. The stack has a database and a vault."""

import sys
import tempfile
from typing import Any

from telegram.ext import ApplicationBuilder


async def _open_database(application: Any) -> None:
    from cryptography.fernet import Fernet
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine

    folder = tempfile.mkdtemp()
    engine = create_async_engine(f"sqlite+aiosqlite:///{folder}/bare.db")
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    application.bot_data |= {"engine": engine, "vault": Fernet(Fernet.generate_key())}


def main(what: str, url: str, token: str) -> None:
    builder = ApplicationBuilder().token(token).base_url(f"{url}/bot")
    if what == "stack":
        builder = builder.post_init(_open_database)
    builder.build().run_polling(timeout=30)


if __name__ == "__main__":
    main(*sys.argv[1:])
