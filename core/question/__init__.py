"""The question: an Experiment, its fields, its random streams and its texts."""
