"""What should happen, at infinite width and at this one. It never imports the simulation."""
