"""Confirmations, conversations and status messages of a chat."""
