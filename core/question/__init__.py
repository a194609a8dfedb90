"""The question: an Experiment, its fields and random streams, and how its links are read."""
