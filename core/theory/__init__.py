"""Theory: the laws of a signal, at infinite width and at any width. It imports no simulation."""
