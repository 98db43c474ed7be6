"""What happens to a fetched page, one stage a file, in order: lists, render → clean → version → file.

A stage takes the item that the one before it made and makes a better one; any other item passes untouched.
"""
