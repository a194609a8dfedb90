"""A sweep over two fields as it is looked at: its link, its picture, its borders, its words."""
