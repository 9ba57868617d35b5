"""The pages of accounts: entering and leaving, one's own account, staff."""
