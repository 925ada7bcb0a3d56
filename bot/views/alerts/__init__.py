"""Alerts: what the bot sends without being asked."""
