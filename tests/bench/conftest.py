"""``bench`` is run from the checkout and is not installed, so its tests must be told where it is."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))
