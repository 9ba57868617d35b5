"""What is said in a room: posting, reading, changing, finding, reporting."""
