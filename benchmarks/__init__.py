"""Benchmarks: what the program costs, each beside a peer or a limit measured in the same run."""
