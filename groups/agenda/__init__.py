"""What is planned: sessions and series, run-sheets, reminders, the private calendar."""
