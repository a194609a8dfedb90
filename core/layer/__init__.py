"""One layer: what it is made of, and the registries it is chosen from."""
