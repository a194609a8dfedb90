"""The parts of Explore: pins, the spread over networks, the class view, sharing, details."""
