"""Accounts, their members, preferences and audit trail."""
