"""The published numbers on screen."""
