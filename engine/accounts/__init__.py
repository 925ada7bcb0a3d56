"""Use cases: what a user may do with an account."""
