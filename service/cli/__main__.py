"""``python -m service.cli``: the command without its script, for our own child processes."""

import sys

from service.cli.app import main

sys.exit(main())
