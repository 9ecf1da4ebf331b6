"""What the benchmarks' scripts share: nothing is measured here."""
