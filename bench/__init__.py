"""Benchmarks of fast_zero, beside the fastest possible and the usual server. Run: `task bench`."""
