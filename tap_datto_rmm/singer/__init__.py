"""What Singer asks of a tap: state, deletion marks, messages on standard output."""
