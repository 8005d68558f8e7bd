"""Who has read or heard what notes say."""
