"""Typed text into values; ambiguous text into a question."""
