"""Accounts, trading, storage and the exchange: everything but Telegram."""
