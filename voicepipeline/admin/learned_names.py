"""What people are called in notes, as it was taught; and every change of a roster."""
