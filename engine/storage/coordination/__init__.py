"""State that processes share: leases, leaders, presence, key-value notes."""
