"""The parts of the phase diagram and of the width sweep."""
