"""The poll: rooms and guesses, and what the teacher and the students see of them."""
