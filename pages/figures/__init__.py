"""How a figure reaches the screen, and follows a slider there."""
