"""One computation for all who ask: answers, the queue, jobs, Explore's lock, and the log."""
