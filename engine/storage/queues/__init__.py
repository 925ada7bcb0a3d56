"""Queues in tables: the inbox and the outbox."""
