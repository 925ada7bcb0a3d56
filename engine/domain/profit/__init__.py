"""Profit: returns, lots, and the ledger of value that reports are made of. Pure."""
