"""The bot in a terminal, with a simulated market and no Telegram."""
