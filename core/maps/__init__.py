"""A sweep over two fields as a map: its link, its cells, its borders, its words."""
