"""What happens when a run is killed, starved or crowded."""
