"""RT-2-style policies: every action dimension as a discrete token."""
