"""Runs of plans over several pairs, as they are stored: the orders of their legs and their ends."""
