"""Who is where: coming in, waiting for a place, leaving, and who looked in."""
