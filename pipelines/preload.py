"""What the fork server loads once for all worker processes: the cleaner and its model, and what pebble itself needs.

Imported by the fork server alone.
"""

import gc
import signal

# First of all: Ctrl-C reaches every process of a terminal's group, and this one would die of it in mid import.
signal.signal(signal.SIGINT, signal.SIG_IGN)

import pebble  # noqa: E402, F401

from newsmorgue.cleaning.model import shipped_model  # noqa: E402
from newsmorgue.pipelines import worker  # noqa: E402, F401

shipped_model()
gc.freeze()  # a worker's collections need not look through all that
