"""One computation for all who ask: answers, the queue, jobs, turns, and the log."""
