"""Looks at everything that may be wrong: what `/doctor` and `check` find, and what to do about it."""
