"""How an order is executed: its bound, its size, its slices, its life in the book, its cost."""
