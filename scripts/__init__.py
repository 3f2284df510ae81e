"""What builds and proves the project; each file is a command."""
