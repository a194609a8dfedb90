"""Simulation: the run, the ensemble, the run without a scale, the script. It imports no theory."""
