"""How a room is run: its hours, its climate, its topics, how long it keeps things."""
