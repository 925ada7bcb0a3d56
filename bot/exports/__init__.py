"""Trades and flows as CSV files."""
