"""The HTTP API: the door through which clubs' own programs send voice notes and ask how they fare."""
