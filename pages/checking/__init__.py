"""The page that checks a whole model: which one, compared with what, and a report from a file."""
