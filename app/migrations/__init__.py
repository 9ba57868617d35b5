"""The database's history, one numbered step a file, for both databases."""
