"""The experiment on screen: its widgets, the link, and what is carried between pages."""
