"""Makes images of pictures, in a process of its own."""
