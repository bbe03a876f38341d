"""RT-1-style policies: a small transformer, every action dimension as a discrete token."""
