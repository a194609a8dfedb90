"""The pages: controls, one cached call, charts, words."""
