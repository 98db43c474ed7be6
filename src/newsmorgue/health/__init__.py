"""Whether the sources are well: from the rows of their runs and stories to a verdict with reasons."""
