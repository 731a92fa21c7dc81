"""A process that uses the embedded store.

Run as ``python -m tests.support.embedded_user DIRECTORY owner|short``.

It prints one line of JSON once it is in, and leaves in order when its standard input ends.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import redis

from service.store.embedded import embedded


def main() -> None:
    """Join, say so, wait, leave."""
    directory, role = sys.argv[1:]
    with embedded(Path(directory), hold=role == "owner") as url:
        with redis.Redis.from_url(url) as client:
            facts = client.info("server")
        print(json.dumps({"url": url, "run_id": facts["run_id"]}), flush=True)  # noqa: T201
        sys.stdin.read()


if __name__ == "__main__":
    main()
