"""The pages of groups: joining, rooms, sessions, the programme, and leading a group."""
