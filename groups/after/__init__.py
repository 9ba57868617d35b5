"""After a session: who was there, what to note, whom to look after."""
