"""Plans over several pairs: which tokens to trade, by how much, and in which order."""
