"""The literature's numbers, measured again."""
