"""Counts and judgements about the work itself; pure."""
