"""Telegram out: responses, the outbox, the status message, and how Telegram limits them."""
