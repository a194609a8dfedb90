"""What is measured of a signal at every layer: histograms, sums, statistics, events."""
