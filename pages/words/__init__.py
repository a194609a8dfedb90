"""What stands beside figures, and how it looks."""
