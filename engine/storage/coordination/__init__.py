"""What processes share: leases, leaders, presence, notes."""
