"""An order, its life, and what balances say of it."""
