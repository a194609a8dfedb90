"""One computation for all viewers who ask the same: answers, queue, jobs, turns, log."""
