"""What does happen: the run, the ensemble, the script. It never imports theory."""
