"""The parts of the lesson: where the viewer is, an exercise, the challenge."""
