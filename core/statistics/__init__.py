"""What is measured at a layer, whoever made the signal."""
