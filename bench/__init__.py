"""How fast fast_zero is, beside what is possible and beside what is usual. `task bench` runs it."""
