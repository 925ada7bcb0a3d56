"""An account: its settings, limits, members, incidents and balance changes."""
