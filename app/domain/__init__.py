"""What is true of meters, whoever asks: no I/O, no clock, no framework."""
