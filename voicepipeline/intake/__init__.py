"""What arrives from outside: looked at before it is kept, and before anything is paid for it."""
