"""Orders against a public book, in a ledger of our own."""
