"""One order: written down, sent once, followed until it is final."""
