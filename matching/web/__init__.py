"""The pages of buddies, check-ins, reports and outreach, and the first page after signing in."""
