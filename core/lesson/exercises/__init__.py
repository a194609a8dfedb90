"""The exercises of the lesson, one module each, called as its slug; none imports another."""
