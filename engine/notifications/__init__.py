"""Alerts into the outbox."""
