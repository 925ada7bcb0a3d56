"""Values and decisions; pure."""
