"""What a process is and does: determinism, signals, progress, software, machine."""
