"""What one expression cannot say: the Python bodies that rules name, imported on first use."""
