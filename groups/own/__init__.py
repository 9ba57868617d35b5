"""A client's own tools: what somebody keeps for themselves, and what they agree with a facilitator."""
