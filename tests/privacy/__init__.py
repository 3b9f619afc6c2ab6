"""What nobody may learn from what clm says and writes."""
