"""What a result says: the kind of a run, the verdict, tables, files, comparisons."""
