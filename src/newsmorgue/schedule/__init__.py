"""When sources are crawled: timetables, their next times in the catalogue, and the processes that run."""
