"""What is led: a running session, and everything on its screens."""
