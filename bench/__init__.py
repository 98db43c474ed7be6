"""What measures newsmorgue beside others."""
