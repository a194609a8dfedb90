"""The host of the process: its settings, devices, threads, limits and shared memory."""
