"""The tests mirror clm/, one folder a room; what spans rooms (laws, commands, faults, docs) has folders of its own."""
