"""Use cases: who else may see an account, and do what with it."""
