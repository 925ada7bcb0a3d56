"""One check of one account."""
