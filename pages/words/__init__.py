"""The words, tables and style sheets that stand beside figures."""
