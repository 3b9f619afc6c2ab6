"""Every command through one conformance suite, and every exit code through a real process."""
