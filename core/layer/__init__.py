"""One layer: its operations, and the registries that they are chosen from."""
