"""What a run tells of itself: counters, progress, report."""
