"""Our own files: read, check, publish atomically, footers, locks. Everybody else hands it frames or bytes, and knows no disk."""
