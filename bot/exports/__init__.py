"""Trades as CSV files."""
