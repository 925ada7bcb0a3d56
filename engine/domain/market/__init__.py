"""Decimals, pairs, order books, balances."""
