"""`python -m leadvelocity.stack.clickhouse`: the server, as the stack starts it."""

import argparse
import logging
import os
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

from leadvelocity.stack.clickhouse.account import Account
from leadvelocity.stack.clickhouse.engine import DataInUse, Engine
from leadvelocity.stack.clickhouse.server import run

THREADS_MAX = 2
LOG_BYTES_MAX = 10_000_000
LOG_FILES_MAX = 2


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A ClickHouse server over chDB, on loopback.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--password-file", type=Path, required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--threads-max", type=int, default=THREADS_MAX)
    return parser.parse_args()


def main() -> int:
    """Run the server until it is told to stop; returns the exit code if it could not start."""
    options = _arguments()
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        handlers=[
            RotatingFileHandler(options.log, maxBytes=LOG_BYTES_MAX, backupCount=LOG_FILES_MAX)
        ],
    )
    account = Account(
        user=options.user,
        password=options.password_file.read_text(encoding="utf-8"),
        database=options.database,
    )
    try:
        engine = Engine(options.data, threads_max=options.threads_max)
        engine.create_database(account.database)
        run(engine, account, port=options.port, http_port=options.http_port)
    except (DataInUse, OSError) as error:
        logging.getLogger(__name__).critical("%s", error)
        return 1
    engine.close()
    logging.shutdown()
    # Threads of clients that did not let go may still be inside the engine: no tearing down.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
