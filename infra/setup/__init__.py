"""What `make setup` runs before anything is installed: scripts with the standard library only."""
