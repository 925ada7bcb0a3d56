"""From balances and a target to one order or none."""
