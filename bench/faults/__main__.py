"""`make bench-faults`: the bot is killed, the shop misbehaves, and nothing may happen twice."""

from bench.faults.program import main

if __name__ == "__main__":
    raise SystemExit(main())
