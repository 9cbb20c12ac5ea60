"""``python -m daneo.cli``: the command without its script."""

import sys

from daneo.cli import main

sys.exit(main())
