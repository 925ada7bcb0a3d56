"""From a stored update to one handler and one response."""
