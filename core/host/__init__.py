"""What this host has, allows and shares: settings, devices, threads, limits, memory."""
