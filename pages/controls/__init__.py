"""The experiment on screen: its widgets, the link, what is carried between pages, and the menu."""
