"""The question: an Experiment, its fields and its random streams, and how it is written down."""
