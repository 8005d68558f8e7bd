"""Suggested entries: confirmed, rejected, put on hold, taken back; one by one, by note, or in bulk."""
