"""Telegram in: polling, webhook, and the inbox that stores before it confirms."""
